using System.Collections.Immutable;
using System.Net;

namespace Portico.Core.Options;

/// <summary>Middle mode: many clients on few links to Telegram's middle proxies (spec/03).</summary>
public sealed record MiddleProxySettings
{
    /// <summary>Where the shared secret is downloaded: http or https.</summary>
    public Uri SecretUrl { get; init; } = new("https://core.telegram.org/getProxySecret");

    /// <summary>Where the list of IPv4 addresses is downloaded.</summary>
    public Uri ConfigUrl { get; init; } = new("https://core.telegram.org/getProxyConfig");

    /// <summary>Where the list of IPv6 addresses is downloaded; null = never.</summary>
    public Uri? ConfigV6Url { get; init; } = new("https://core.telegram.org/getProxyConfigV6");

    /// <summary>Between two downloads, and the longest pause after a failed one.</summary>
    public TimeSpan Refresh { get; init; } = TimeSpan.FromHours(1);

    /// <summary>For one request, answer included.</summary>
    public TimeSpan HttpTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The IPv4 address that Telegram sees us under, if the operator said; then nobody is asked.</summary>
    public IPAddress? ExternalV4 { get; init; }

    /// <summary>The IPv6 address that Telegram sees us under, if the operator said.</summary>
    public IPAddress? ExternalV6 { get; init; }

    /// <summary>Who is asked for our external address, in this order; empty = nobody. Also for the links of a private address.</summary>
    public ImmutableArray<Uri> IpLookupServices { get; init; } =
    [
        new("https://v4.ident.me/"), new("https://ipv4.icanhazip.com/"),
        new("https://api.ipify.org/"), new("https://checkip.amazonaws.com/"),
    ];

    /// <summary>Links per data centre over all loops that are opened at start and kept.</summary>
    public int InitialConnections { get; init; } = 2;

    /// <summary>Clients on one link after which more are opened: a soft limit.</summary>
    public int ClientsPerConnection { get; init; } = 300;

    /// <summary>Check CRC-32 of frames that come in (spec/03 section 3).</summary>
    public bool CheckCrc { get; init; } = true;

    /// <summary>When a link is not read.</summary>
    public BackPressureSettings BackPressure { get; init; } = BackPressureSettings.For(300);
}

/// <summary>
/// Limits of what one link brought and its clients have not taken yet
/// (spec/03 section 8); above any of them the link is not read.
/// </summary>
public sealed record BackPressureSettings
{
    /// <summary>Bytes, over all clients; of these, one user or one address may owe half.</summary>
    public required long BytesTotal { get; init; }

    /// <summary>
    /// Packets, over all clients; null = no such limit:
    /// bytes bound memory, and each packet counts as 64 more than it has.
    /// </summary>
    public long? PacketsTotal { get; init; }

    /// <summary>Bytes, times the clients of the moment; null = no such limit.</summary>
    public long? BytesPerClient { get; init; }

    /// <summary>Packets, times the clients of the moment; null = no such limit.</summary>
    public long? PacketsPerClient { get; init; }

    /// <summary>The defaults for links that carry so many clients.</summary>
    public static BackPressureSettings For(int clientsPerConnection) => new() { BytesTotal = 30 * 1024L * clientsPerConnection };
}

/// <summary>How much may wait for one client of a link before it is closed, so that the link need not wait for it.</summary>
public sealed record HealthSettings
{
    /// <summary>Packets.</summary>
    public int ClientQueuePackets { get; init; } = 300;

    /// <summary>Bytes.</summary>
    public int ClientQueueBytes { get; init; } = 3 * 1024 * 1024;
}
