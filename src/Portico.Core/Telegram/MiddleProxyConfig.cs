using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Portico.Protocol.TelegramConfig;

namespace Portico.Core.Telegram;

/// <summary>Where a part of Telegram's configuration comes from; later ones are better.</summary>
internal enum ConfigSource
{
    /// <summary>From our own program: <see cref="EmbeddedConfig"/>.</summary>
    Embedded,

    /// <summary>From the data directory, kept by an earlier run.</summary>
    Cached,

    /// <summary>From Telegram, in this run.</summary>
    Fetched,
}

/// <summary>
/// All that is needed to reach the middle proxies, as it was known at one moment.
/// Immutable: who read it keeps a consistent one, however long.
/// </summary>
internal sealed class MiddleProxyConfig
{
    private readonly FrozenDictionary<short, Addresses> _addresses;
    private readonly short? _defaultDc;

    /// <param name="secret">Shared by all proxies and Telegram.</param>
    /// <param name="documents">Later ones add to earlier ones; the first that names a default data centre decides.</param>
    /// <param name="configuredDefault">The operator's default data centre, for documents without one that exists.</param>
    public MiddleProxyConfig(MiddleProxySecret secret, IReadOnlyCollection<ProxyConfigDocument> documents, short configuredDefault)
    {
        Secret = secret;
        _addresses = documents
            .SelectMany(document => document.Dcs.Select(dc => (Dc: dc, Endpoints: document.Endpoints(dc))))
            .GroupBy(entry => entry.Dc, entry => entry.Endpoints)
            .ToFrozenDictionary(group => group.Key, group => new Addresses(group.SelectMany(endpoints => endpoints)));
        Dcs = [.. _addresses.Keys.Order()];
        _defaultDc = new[] { documents.Select(document => document.DefaultDc).FirstOrDefault(dc => dc is not null), configuredDefault }
            .FirstOrDefault(dc => dc is { } id && _addresses.ContainsKey(id));
    }

    /// <summary>The secret that the keys of links are made of.</summary>
    public MiddleProxySecret Secret { get; }

    /// <summary>Signed ids that have addresses, in order. N and -N are different pools.</summary>
    public ImmutableArray<short> Dcs { get; }

    /// <summary>The IPv4 address that Telegram sees us under; null = not known: the socket's local one is the best guess.</summary>
    public IPAddress? ExternalV4 { get; init; }

    /// <summary>The IPv6 address that Telegram sees us under; null = not known.</summary>
    public IPAddress? ExternalV6 { get; init; }

    /// <summary>The poorer of where the secret and where the IPv4 list came from.</summary>
    public ConfigSource Source { get; init; }

    /// <summary>When the older of the two came from Telegram.</summary>
    public DateTimeOffset AsOf { get; init; }

    /// <summary>Whether there is a pool for <paramref name="wanted"/> itself, or for the data centre whose media it stands for.</summary>
    public bool Names(short wanted) => TryFindNamed(wanted, out _);

    /// <summary>
    /// Which pool serves a client that names <paramref name="wanted"/>:
    /// that one; for -N without a pool N; else the default.
    /// </summary>
    /// <param name="wanted">Signed id as in the client's header; 0 = the client did not say.</param>
    /// <param name="dc">One of <see cref="Dcs"/>.</param>
    /// <returns>False if there is not even a default.</returns>
    public bool TryResolve(short wanted, out short dc)
    {
        if (TryFindNamed(wanted, out dc)) return true;
        dc = _defaultDc ?? 0;
        return _defaultDc is not null;
    }

    private bool TryFindNamed(short wanted, out short dc)
    {
        dc = wanted;
        if (_addresses.ContainsKey(wanted)) return true;
        // -32768 has no counterpart.
        dc = wanted is < 0 and > short.MinValue ? (short)-wanted : (short)0;
        return _addresses.ContainsKey(dc);
    }

    /// <summary>
    /// Addresses of the pool <paramref name="dc"/>, the preferred family first.
    /// Empty once the list no longer names it: no other data centre's will do.
    /// </summary>
    public ImmutableArray<IPEndPoint> Find(short dc, bool preferIPv6) =>
        _addresses.TryGetValue(dc, out var addresses) ? addresses.InOrder(preferIPv6) : [];

    /// <summary>Ids whose addresses differ, or exist only in one of the two.</summary>
    public ImmutableArray<short> DcsThatDiffer(MiddleProxyConfig other) =>
        [.. Dcs.Union(other.Dcs).Where(dc => !IsSame(other, dc)).Order()];

    /// <summary>Whether a link made with <paramref name="other"/> would be made in the same way, whatever the source.</summary>
    public bool LeadsToTheSameAs(MiddleProxyConfig other) =>
        Secret.Equals(other.Secret) && Equals(ExternalV4, other.ExternalV4) && Equals(ExternalV6, other.ExternalV6)
        && _defaultDc == other._defaultDc && DcsThatDiffer(other).IsEmpty;

    private bool IsSame(MiddleProxyConfig other, short dc) =>
        _addresses.TryGetValue(dc, out var ours) && other._addresses.TryGetValue(dc, out var theirs) && ours.HasSameAs(theirs);

    private sealed class Addresses
    {
        private readonly ImmutableArray<IPEndPoint> _v4;
        private readonly ImmutableArray<IPEndPoint> _v6;

        public Addresses(IEnumerable<IPEndPoint> all)
        {
            var families = all.Distinct().ToLookup(endpoint => endpoint.AddressFamily);
            _v4 = [.. families[AddressFamily.InterNetwork]];
            _v6 = [.. families[AddressFamily.InterNetworkV6]];
        }

        public ImmutableArray<IPEndPoint> InOrder(bool preferIPv6) => preferIPv6 ? [.. _v6, .. _v4] : [.. _v4, .. _v6];

        // Telegram shuffles its list, which is no change.
        public bool HasSameAs(Addresses other) => _v4.ToHashSet().SetEquals(other._v4) && _v6.ToHashSet().SetEquals(other._v6);
    }
}
