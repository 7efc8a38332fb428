using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portico.Core.Options;

/// <summary>The <c>cover</c> section. The result is complete only if no error was added.</summary>
internal sealed class CoverOptionsParser(List<ConfigurationError> errors, List<ConfigurationError> warnings)
{
    private const string Key = "cover.target";
    private const string Example = "for example \"target\": \"127.0.0.1:443\", \"www.example.com:443\" or \"unix:/run/site.sock\"";
    private const string UnixPrefix = "unix:";

    /// <summary>Bytes that the path of a unix socket may have: sun_path has 108 with its end (man 7 unix).</summary>
    public const int LongestPath = 107;

    /// <summary>Parses the section.</summary>
    /// <param name="cover">As written.</param>
    /// <param name="listeners">Where we listen, since a cover there would be ourselves.</param>
    public CoverSettings Parse(CoverOptions cover, ImmutableArray<ListenerSettings> listeners)
    {
        var mode = cover.Mode switch { "sni" => CoverMode.Sni, "fixed" => CoverMode.Fixed, _ => CoverMode.Off };
        var target = cover.Target is { } text ? Target(text) : null;
        if (mode == CoverMode.Fixed && cover.Target is null)
            errors.Add(new(Key, $"the mode fixed needs the site that strangers see; {Example}"));
        if (mode != CoverMode.Fixed && cover.Target is not null)
            warnings.Add(new(Key, $"has no effect while cover.mode is {cover.Mode}; for example \"mode\": \"fixed\""));
        if (target?.Address is { } address) RefuseOurselves(address, listeners);
        if (mode == CoverMode.Sni && cover.ProxyProtocol != 0)
            warnings.Add(new(
                "cover.proxyProtocol",
                "goes to every site that a stranger names, and hardly one of them expects it; for example \"proxyProtocol\": 0"));
        if (mode == CoverMode.Sni && cover.AllowPrivateTargets)
            warnings.Add(new("cover.allowPrivateTargets", "on: whoever connects can reach what only this machine may reach, "
                + "by a name that leads there; use the mode fixed for a site of your own"));
        return new CoverSettings
        {
            Mode = mode,
            Target = mode == CoverMode.Fixed ? target : null,
            AlertMalformedHello = cover.MalformedHello == "alert",
            ClosePolicyRefused = cover.PolicyRefused == "close",
            Decide = TimeSpan.FromMilliseconds(cover.DecideMs),
            MaxConnections = cover.MaxConnections,
            Learn = TimeSpan.FromSeconds(cover.LearnSeconds),
            ConnectTimeout = TimeSpan.FromSeconds(cover.ConnectTimeoutSeconds),
            ProxyProtocol = cover.ProxyProtocol,
            AllowPrivateTargets = cover.AllowPrivateTargets,
        };
    }

    private CoverTarget? Target(string text)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
            return UnixPath(text[UnixPrefix.Length..]);
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? text : text[..colon];
        if (host.Contains("//", StringComparison.Ordinal))
            return Refuse($"{ShownText.Quote(text)} is the address of a page; name host and port only");
        if (colon < 0 || text.EndsWith(']') || IsBareV6(text))
            return Refuse(IsBareV6(text)
                ? $"{ShownText.Quote(text)} is an IPv6 address without brackets and port"
                : $"{ShownText.Quote(text)} names no port");
        var digits = text[(colon + 1)..];
        if (!ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return Refuse($"{ShownText.Quote(digits)} is not a port from 1 to 65535");
        if (host is ['[', .. var v6, ']'])
        {
            return IPAddress.TryParse(v6, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
                ? Address(address, port)
                : Refuse($"{ShownText.Quote(v6)} is not an IPv6 address");
        }

        // The framework reads "1.2" as 1.0.0.2: an IPv4 address has four parts here.
        if (IPAddress.TryParse(host, out var v4))
            return v4.ToString() == host ? Address(v4, port) : Refuse($"{ShownText.Quote(host)} is not an IP address");
        return DomainName.IsHost(host)
            ? CoverTarget.OfHost(host, port)
            : Refuse($"{ShownText.Quote(host)} is neither a host name nor an IP address");
    }

    private CoverTarget? Address(IPAddress address, int port) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
            ? Refuse($"{address} is where servers listen, and nothing that one could connect to")
            : CoverTarget.OfAddress(new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port));

    private CoverTarget? UnixPath(string path)
    {
        if (!path.StartsWith('/'))
            return Refuse($"{ShownText.Quote(path)} must be an absolute path");
        if (path.Contains('\0', StringComparison.Ordinal))
            return Refuse("holds a null character, which no path may");
        var length = Encoding.UTF8.GetByteCount(path);
        return length <= LongestPath
            ? CoverTarget.OfUnixPath(path)
            : Refuse($"the path has {length} bytes where a Unix socket may have {LongestPath}");
    }

    private CoverTarget? Refuse(string problem)
    {
        errors.Add(new(Key, $"{problem}; {Example}"));
        return null;
    }

    // What is found out here needs no name resolved; the rest is noticed when a stranger is passed on.
    private void RefuseOurselves(IPEndPoint target, ImmutableArray<ListenerSettings> listeners)
    {
        for (var i = 0; i < listeners.Length; i++)
        {
            var ours = listeners[i].Address;
            if (ours.Port != target.Port || ours.Port == 0) continue;
            var isAny = ours.Address.Equals(IPAddress.IPv6Any)
                || (ours.Address.Equals(IPAddress.Any) && target.AddressFamily == AddressFamily.InterNetwork);
            if (ours.Address.Equals(target.Address) || (isAny && IPAddress.IsLoopback(target.Address)))
            {
                errors.Add(new(
                    Key,
                    $"{target} is listeners[{i}] itself: every stranger would go round in circles; name the site behind it, {Example}"));
                return;
            }
        }
    }

    private static bool IsBareV6(string text) =>
        !text.StartsWith('[') && text.IndexOf(':', StringComparison.Ordinal) != text.LastIndexOf(':') && IPAddress.TryParse(text, out _);
}
