using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Portico.Core.Net;
using Portico.Protocol.TelegramConfig;

namespace Portico.Core.Options;

/// <summary>Makes <see cref="ProxySettings"/> of <see cref="ProxyOptions"/>, or says everything that is wrong with them at once.</summary>
public static class ProxyOptionsParser
{
    /// <summary>Checks and parses.</summary>
    /// <param name="options">The configuration as written.</param>
    /// <param name="baseDirectory">Where relative paths start: the directory of the configuration file.</param>
    public static ParsedOptions Parse(ProxyOptions options, string baseDirectory)
    {
        var errors = new List<ConfigurationError>();
        var warnings = new List<ConfigurationError>();
        OptionRules.Check(ProxyOptions.TypeInfo, options, "", errors);

        var listeners = ListenerOptionsParser.Parse(options.Listeners, errors, warnings);
        var direct = Direct(options.Backend, errors);
        var middle = new MiddleProxyOptionsParser(errors, warnings).Parse(options.Backend.Middle);
        var cover = new CoverOptionsParser(errors, warnings).Parse(options.Cover, listeners);
        var policy = new PolicyOptionsParser(errors, warnings).Parse(options.Policy, options.Tables, listeners);
        if (options.Backend.Mode == "direct") WarnOfIdleAdTags(options.Listeners, warnings);
        AdmissionOptionsParser.Check(options, errors, warnings);
        var admin = new AdminOptionsParser(errors, warnings);
        admin.Check(options.Admin, options.Telemetry);
        var webhook = AlertOptionsParser.Webhook(options.Alerts, errors);
        if (string.IsNullOrWhiteSpace(options.DataDirectory))
            errors.Add(new("dataDirectory", "needs the path of a directory; for example \"dataDirectory\": \"data\""));
        else if (options.DataDirectory.Contains('\0', StringComparison.Ordinal))
            errors.Add(new("dataDirectory", "holds a null character, which no path may; for example \"dataDirectory\": \"data\""));
        else
            (listeners, cover) = PlaceWeb(listeners, options, cover, baseDirectory, errors);
        if (options.Engine == "epoll" && !OperatingSystem.IsLinux())
            errors.Add(new("engine", "epoll exists on Linux only; for example \"engine\": \"auto\""));
        var localAddresses = LocalAddresses(options.LocalAddresses, errors);
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(options.TimeZone, out var timeZone))
        {
            errors.Add(new("timeZone", $"{ShownText.Quote(options.TimeZone)} is no time zone that this system knows "
                + "(the package tzdata has them); for example \"timeZone\": \"UTC\""));
        }

        if (errors.Count > 0) return new(null, [.. errors], [.. warnings]);

        var settings = new ProxySettings
        {
            Listeners = listeners,
            Mode = options.Backend.Mode switch { "direct" => BackendMode.Direct, "middle" => BackendMode.Middle, _ => BackendMode.Auto },
            MediaGoesThroughMiddleProxy = options.Backend.Media == "middle",
            Direct = direct,
            Middle = middle,
            LocalAddresses = localAddresses,
            Cover = cover,
            Health = new() { ClientQueuePackets = options.Health.ClientQueuePackets, ClientQueueBytes = options.Health.ClientQueueBytes },
            ServerErrorFilter = options.Replay.ServerErrorFilter switch
            {
                "on" => ServerErrorFilter.On,
                "off" => ServerErrorFilter.Off,
                _ => ServerErrorFilter.First,
            },
            TimeWindow = AdmissionOptionsParser.TimeWindow(options.FakeTls.TimeWindow),
            Replay = AdmissionOptionsParser.Replay(options.Replay),
            RecordSizes = options.FakeTls.RecordSizes == "ramp" ? RecordSizes.Ramp : RecordSizes.Full,
            PerSni = AdmissionOptionsParser.PerSni(options.FakeTls.PerSniSecrets),
            Policy = policy,
            Limits = AdmissionOptionsParser.Limits(options.Limits),
            ResetOnClose = AdmissionOptionsParser.ResetOnClose(options.ResetOnClose),
            Timeouts = new()
            {
                Handshake = TimeSpan.FromSeconds(options.Timeouts.HandshakeSeconds),
                Idle = TimeSpan.FromSeconds(options.Timeouts.IdleSeconds),
                ClientWrite = TimeSpan.FromSeconds(options.Timeouts.ClientWriteSeconds),
                Drain = TimeSpan.FromSeconds(options.Timeouts.DrainSeconds),
            },
            Admin = admin.Parse(options.Admin, DataDirectoryOf(options, baseDirectory)),
            Telemetry = AdminOptionsParser.Parse(options.Telemetry),
            Alerts = new() { Webhook = webhook },
            TimeZone = timeZone!,
            DataDirectory = DataDirectoryOf(options, baseDirectory),
            Engine = options.Engine switch { "epoll" => EngineKind.Epoll, "sockets" => EngineKind.Sockets, _ => EngineKind.Auto },
            Loops = options.Loops,
        };
        return new(settings, [], [.. warnings]);
    }

    /// <summary>Places of the administration's socket by a configuration that may be wrong elsewhere.</summary>
    /// <param name="options">As written.</param>
    /// <param name="baseDirectory">Where relative paths begin.</param>
    public static ImmutableArray<string> AdminSocketsOf(ProxyOptions options, string baseDirectory) =>
        AdminOptionsParser.SocketsOf(options.Admin.Socket, DataDirectoryOf(options, baseDirectory));

    /// <summary>Absolute.</summary>
    internal static string DataDirectoryOf(ProxyOptions options, string baseDirectory) =>
        Path.GetFullPath(options.DataDirectory, Path.GetFullPath(baseDirectory));

    private static (ImmutableArray<ListenerSettings> Listeners, CoverSettings Cover) PlaceWeb(
        ImmutableArray<ListenerSettings> listeners, ProxyOptions options, CoverSettings cover, string baseDirectory,
        List<ConfigurationError> errors)
    {
        var data = DataDirectoryOf(options, baseDirectory);
        var placed = listeners.Select((it, i) => it with
        {
            Web = new WebPaths(Path.GetFullPath(baseDirectory), data, errors).Place(it.Web, $"listeners[{i}].web"),
        });
        return new SharedPortParser(errors).Join([.. placed], options.Cover, cover, data);
    }

    // Not an error: who switches to direct mode for a while need not take the tags out.
    private static void WarnOfIdleAdTags(ListenerOptions[] listeners, List<ConfigurationError> warnings)
    {
        const string Problem = "has no effect while backend.mode is direct, because only middle proxies take ad tags; "
            + "for example \"mode\": \"auto\"";
        for (var i = 0; i < listeners.Length; i++)
        {
            if (listeners[i].AdTag is not null) warnings.Add(new($"listeners[{i}].adTag", Problem));
            for (var j = 0; j < listeners[i].Users.Length; j++)
            {
                if (listeners[i].Users[j].AdTag is not null)
                    warnings.Add(new($"listeners[{i}].users[{j}].adTag", Problem));
            }
        }
    }

    private static ImmutableArray<IPAddress> LocalAddresses(string[] texts, List<ConfigurationError> errors)
    {
        const string Example = """for example "localAddresses": ["192.0.2.7", "192.0.2.8"]""";
        var addresses = ImmutableArray.CreateBuilder<IPAddress>(texts.Length);
        for (var i = 0; i < texts.Length; i++)
        {
            if (!NetworkText.TryAddress(texts[i], out var address)
                || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.IsIPv4MappedToIPv6)
            {
                errors.Add(new($"localAddresses[{i}]", $"{ShownText.Quote(texts[i])} is not an address of this machine; {Example}"));
            }
            else if (addresses.Contains(address))
            {
                errors.Add(new($"localAddresses[{i}]", $"{address} stands there twice; leave one out"));
            }
            else
            {
                addresses.Add(address);
            }
        }

        return addresses.ToImmutable();
    }

    private static DirectSettings Direct(BackendOptions backend, List<ConfigurationError> errors)
    {
        const string Example = """for example "endpoints": { "2": ["149.154.167.51:443"] }""";
        var errorsBefore = errors.Count;
        var endpoints = ImmutableDictionary.CreateBuilder<int, ImmutableArray<IPEndPoint>>();
        foreach (var (id, addresses) in backend.Direct.Endpoints)
        {
            var key = $"backend.direct.endpoints.{ShownText.WithoutSecrets(id)}";
            // The id travels as int16 (spec/01 section 2.5); one spelling only, so that no entry hides another.
            if (!short.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var dc)
                || dc == 0
                || dc.ToString(CultureInfo.InvariantCulture) != id)
            {
                errors.Add(new(key, $"the key must be the id of a data centre, negative for its media servers; {Example}"));
            }

            if (addresses.Length == 0)
                errors.Add(new(key, $"needs at least one address, or leave the key out to keep the built-in ones; {Example}"));
            var parsed = ImmutableArray.CreateBuilder<IPEndPoint>(addresses.Length);
            for (var i = 0; i < addresses.Length; i++)
            {
                // The framework accepts an address without a port and calls that port 0.
                if (IPEndPoint.TryParse(addresses[i], out var endpoint) && endpoint.Port != 0)
                    parsed.Add(endpoint);
                else
                    errors.Add(new($"{key}[{i}]", $"{ShownText.Quote(addresses[i])} is not an IP address with a port; {Example}"));
            }

            endpoints[dc] = parsed.ToImmutable();
        }

        var direct = new DirectSettings
        {
            Endpoints = endpoints.ToImmutable(),
            DefaultDc = backend.Direct.DefaultDc,
            PassThrough = backend.Direct.PassThrough,
            PreferIPv6 = backend.PreferIPv6,
        };
        // Of addresses that could not be read, it is not known whose they are.
        if (errors.Count > errorsBefore) return direct;
        if (direct.DefaultDc is >= short.MinValue and <= short.MaxValue && !IsKnown(direct))
        {
            errors.Add(new(
                "backend.direct.defaultDc",
                $"{direct.DefaultDc} is no known data centre; "
                    + "for example \"defaultDc\": 2, or give it addresses in backend.direct.endpoints"));
        }

        return direct;
    }

    private static bool IsKnown(DirectSettings direct) =>
        direct.Endpoints.TryGetValue(direct.DefaultDc, out var own) ? !own.IsEmpty : DcTable.BuiltIn.ContainsKey(direct.DefaultDc);
}
