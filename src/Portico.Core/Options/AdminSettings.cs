using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Portico.Core.Options;

/// <summary>How the proxy is administered.</summary>
public sealed record AdminSettings
{
    /// <summary>Where the HTTP interface listens; null = not on TCP.</summary>
    public IPEndPoint? Address { get; init; }

    /// <summary>What a request over TCP must bring; null = nothing but health and metrics is there.</summary>
    public AdminToken? Token { get; init; }

    /// <summary>
    /// Places of the unix socket, absolute: the first that can be made is it, and whoever looks for it tries them in this order.
    /// Empty = none.
    /// </summary>
    public ImmutableArray<string> Sockets { get; init; } = [];

    /// <summary>Names for requests without the token, beside those of loopback.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>Users with metrics of their own.</summary>
    public int UserMetrics { get; init; }
}

/// <summary>Where metrics are sent.</summary>
public sealed record TelemetrySettings
{
    /// <summary>Of a collector, with its path; null = nowhere.</summary>
    public Uri? Otlp { get; init; }
}

/// <summary>A token, kept as its hash: it can be compared and not printed.</summary>
public sealed class AdminToken
{
    /// <summary>Characters that one must have.</summary>
    public const int LeastLength = 16;

    private readonly byte[] _hash;

    /// <summary>Of a token's text.</summary>
    public AdminToken(string text) => _hash = HashOf(text);

    /// <summary>Whether a text is this token. Takes the same time whatever it is.</summary>
    public bool Matches(string text) => CryptographicOperations.FixedTimeEquals(_hash, HashOf(text));

    /// <summary>Whether another one is the same. Takes the same time whatever it is.</summary>
    public bool IsSame(AdminToken other) => CryptographicOperations.FixedTimeEquals(_hash, other._hash);

    /// <inheritdoc/>
    public override string ToString() => "[secret]";

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
