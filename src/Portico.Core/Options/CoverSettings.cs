using System.Net;

namespace Portico.Core.Options;

/// <summary>What strangers see (spec/02 sections 8 and 10.2).</summary>
public sealed record CoverSettings
{
    /// <summary>Which site.</summary>
    public CoverMode Mode { get; init; } = CoverMode.Off;

    /// <summary>The site of <see cref="CoverMode.Fixed"/>; null in the other modes.</summary>
    public CoverTarget? Target { get; init; }

    /// <summary>Hellos that no TLS server could decode, or that name no host, get an alert in every mode.</summary>
    public bool AlertMalformedHello { get; init; }

    /// <summary>Clients that know a secret and were refused are closed instead of being shown the cover.</summary>
    public bool ClosePolicyRefused { get; init; }

    /// <summary>Time from accept after which the cover is connected although the client may still turn out to be ours.</summary>
    public TimeSpan Decide { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Strangers at a time, before the share of the descriptors is looked at.</summary>
    public int MaxConnections { get; init; } = 4096;

    /// <summary>Between two measurements of the cover's flight.</summary>
    public TimeSpan Learn { get; init; } = TimeSpan.FromHours(6);

    /// <summary>For all addresses of the cover together.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Version of the PROXY header in front of the stranger's bytes; 0 = none.</summary>
    public int ProxyProtocol { get; init; }

    /// <summary>
    /// The cover is the WEB host of this proxy: each connection is named in its header, so that the host can say that a stranger turned out
    /// to be a client.
    /// </summary>
    public bool IsWebHost { get; init; }

    /// <summary>Mode sni goes to addresses that are not public, too.</summary>
    public bool AllowPrivateTargets { get; init; }
}

/// <summary>Which site strangers see.</summary>
public enum CoverMode
{
    /// <summary>None.</summary>
    Off,

    /// <summary>The one that their hello names.</summary>
    Sni,

    /// <summary>Always the same one.</summary>
    Fixed,
}

/// <summary>The address of a site: exactly one of <see cref="Host"/>, <see cref="Address"/> and <see cref="UnixPath"/> is there.</summary>
public sealed record CoverTarget
{
    private CoverTarget()
    {
    }

    /// <summary>A name that is resolved when it is needed.</summary>
    public string? Host { get; private init; }

    /// <summary>An address that needs no resolving.</summary>
    public IPEndPoint? Address { get; private init; }

    /// <summary>Absolute path of a Unix socket.</summary>
    public string? UnixPath { get; private init; }

    /// <summary>TCP port; 0 for a Unix socket.</summary>
    public int Port { get; private init; }

    /// <summary>A host by name.</summary>
    public static CoverTarget OfHost(string host, int port) => new() { Host = host, Port = port };

    /// <summary>A host by address.</summary>
    public static CoverTarget OfAddress(IPEndPoint address) => new() { Address = address, Port = address.Port };

    /// <summary>A server on this machine behind a Unix socket.</summary>
    public static CoverTarget OfUnixPath(string path) => new() { UnixPath = path };

    /// <summary>As the operator writes it.</summary>
    public override string ToString() => UnixPath is { } path ? $"unix:{path}" : Address?.ToString() ?? $"{Host}:{Port}";
}
