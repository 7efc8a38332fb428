using System.Collections.Immutable;
using System.Net;

namespace Portico.Core.Options;

/// <summary>The <c>listeners</c> section: each one by itself, then against each other.</summary>
internal static class ListenerOptionsParser
{
    /// <summary>The result is complete only if no error was added.</summary>
    public static ImmutableArray<ListenerSettings> Parse(
        ListenerOptions[] listeners, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (listeners.Length == 0)
        {
            errors.Add(new(
                "listeners",
                """needs at least one; for example "listeners": """
                    + """[{ "port": 8443, "secret": "<32 hexadecimal digits>", "domain": "www.example.com" }]"""));
        }

        var parsed = ImmutableArray.CreateBuilder<ListenerSettings>(listeners.Length);
        for (var i = 0; i < listeners.Length; i++)
        {
            var settings = ParseOne(listeners[i], i, errors, warnings);
            for (var other = 0; other < i; other++) Compare(settings, parsed[other], i, other, errors);
            parsed.Add(settings);
        }

        return parsed.ToImmutable();
    }

    private static ListenerSettings ParseOne(
        ListenerOptions listener, int index, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var path = $"listeners[{index}]";
        var name = listener.Name ?? (index == 0 ? "main" : $"listener-{index + 1}");
        if (!NameLabel.IsOne(name))
            errors.Add(new(
                $"{path}.name",
                $"{ShownText.Quote(name)} must be 1 to 64 letters, digits, dots, dashes or underscores; for example \"name\": \"main\""));

        if (!NetworkText.TryAddress(listener.Address, out var address))
        {
            errors.Add(new($"{path}.address", $"{ShownText.Quote(listener.Address)} is not an IP address; "
                + "for example \"address\": \"::\" for every address, or \"127.0.0.1\""));
        }

        if (listener.Protocols.Length == 0 && listener.Web is null)
            errors.Add(new($"{path}.protocols", """needs at least one; for example "protocols": ["fake-tls"]"""));
        var protocols = listener.Protocols.Aggregate(ClientProtocols.None, (sum, text) => sum | ProtocolOf(text));
        CheckDomain(listener, protocols, path, errors, warnings);
        if (listener.PublicHost is { } host && PublicHost.Problem(host) is { } problem)
            errors.Add(new($"{path}.publicHost", problem));

        var credentials = Credentials.Parse(listener, path, errors, warnings);
        return new ListenerSettings
        {
            Name = name,
            // The range of the port is a rule of the option; the clamp only keeps the constructor from throwing after that error.
            Address = new IPEndPoint(address, Math.Clamp(listener.Port, IPEndPoint.MinPort, IPEndPoint.MaxPort)),
            Credentials = credentials,
            AdTag = Protocol.MiddleProxy.AdTag.TryParse(listener.AdTag ?? "", out var tag) ? tag : null,
            Protocols = protocols,
            Domain = listener.Domain ?? (protocols.HasFlag(ClientProtocols.FakeTls) ? listener.Web?.Host : null),
            PublicHost = listener.PublicHost,
            PublicPort = listener.PublicPort,
            MaxConnections = listener.MaxConnections,
            TrustedBalancers = ParseNetworks(listener.ProxyProtocol.Trusted, $"{path}.proxyProtocol.trusted", errors),
            Web = new WebOptionsParser(errors, warnings).Parse(listener.Web, credentials, $"{path}.web"),
        };
    }

    private static ImmutableArray<IPNetwork> ParseNetworks(string[] networks, string path, List<ConfigurationError> errors)
    {
        var parsed = ImmutableArray.CreateBuilder<IPNetwork>(networks.Length);
        for (var i = 0; i < networks.Length; i++)
        {
            if (NetworkText.TryParse(networks[i], out var network, out var problem))
                parsed.Add(network);
            else errors.Add(new($"{path}[{i}]", problem));
        }

        return parsed.ToImmutable();
    }

    private static void CheckDomain(
        ListenerOptions listener, ClientProtocols protocols, string path,
        List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        const string Example = "for example \"domain\": \"www.example.com\"";
        if (listener.Domain is null)
        {
            if (protocols.HasFlag(ClientProtocols.FakeTls) && listener.Web is null)
                errors.Add(new($"{path}.domain", $"fake-TLS links need a host name; {Example}"));
        }
        else if (DomainName.Problem(listener.Domain) is { } problem)
        {
            errors.Add(new($"{path}.domain", $"{problem}; {Example}"));
        }
        else if (listener.Web?.Host is { } host && !host.Equals(listener.Domain, StringComparison.OrdinalIgnoreCase))
        {
            warnings.Add(new($"{path}.domain", "is not web.host, for which the certificate is; leave it away, and links show web.host"));
        }
    }

    private static void Compare(ListenerSettings one, ListenerSettings other, int index, int otherIndex, List<ConfigurationError> errors)
    {
        if (one.Name == other.Name)
            errors.Add(new(
                $"listeners[{index}].name",
                $"{ShownText.Quote(one.Name)} is the name of listeners[{otherIndex}] too; metrics could not tell them apart"));
        if (one.Address.Port != 0 && one.Address.Port == other.Address.Port && Overlap(one.Address.Address, other.Address.Address))
        {
            errors.Add(new($"listeners[{index}].port", $"{one.Address.Port} is taken by listeners[{otherIndex}]; "
                + $"for example \"port\": {(one.Address.Port < IPEndPoint.MaxPort ? one.Address.Port + 1 : 8443)}"));
        }
    }

    private static bool Overlap(IPAddress one, IPAddress other) =>
        one.Equals(other)
        || one.Equals(IPAddress.IPv6Any) || other.Equals(IPAddress.IPv6Any) // dual stack: takes the IPv4 port as well
        || (one.AddressFamily == other.AddressFamily && (one.Equals(IPAddress.Any) || other.Equals(IPAddress.Any)));

    private static ClientProtocols ProtocolOf(string text) => text switch
    {
        "fake-tls" => ClientProtocols.FakeTls,
        "secure" => ClientProtocols.Secure,
        "classic" => ClientProtocols.Classic,
        _ => ClientProtocols.None, // reported by the rule of the option
    };
}
