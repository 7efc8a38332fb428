using System.Collections.Immutable;

namespace Portico.Core.Control;

/// <summary>The proxy at one moment. Words are closed sets, in snake case; times are UTC.</summary>
public sealed record ProxyStatus
{
    /// <summary>Of the program; whoever hosts the proxy says it.</summary>
    public required string Version { get; init; }

    /// <summary>When this proxy began to listen.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Since then, in whole seconds.</summary>
    public required long UptimeSeconds { get; init; }

    /// <summary>serving, or draining: it takes no new connections and waits for those that are there.</summary>
    public required string State { get; init; }

    /// <summary>Why it is not ready for new clients; empty = it is.</summary>
    public required ImmutableArray<string> NotReady { get; init; }

    /// <summary>auto, direct or middle.</summary>
    public required string Mode { get; init; }

    /// <summary>Event loops.</summary>
    public required int Loops { get; init; }

    /// <summary>Connections that are open, in whatever state.</summary>
    public required int Sessions { get; init; }

    /// <summary>In the order of the configuration.</summary>
    public required ImmutableArray<ListenerStatus> Listeners { get; init; }

    /// <summary>Those that clients have asked for, in order.</summary>
    public required ImmutableArray<DcStatus> Dcs { get; init; }

    /// <summary>What is known of middle proxies; null where no client goes through one.</summary>
    public required MiddleProxyStatus? MiddleProxies { get; init; }

    /// <summary>What strangers see.</summary>
    public required CoverStatus Cover { get; init; }

    /// <summary>Memory.</summary>
    public required MemoryStatus Memory { get; init; }

    /// <summary>File descriptors.</summary>
    public required DescriptorStatus Descriptors { get; init; }

    /// <summary>What is remembered of clients, so that nobody can repeat it.</summary>
    public required ReplayStatus Replay { get; init; }
}

/// <summary>One listener.</summary>
/// <param name="Name">Its label.</param>
/// <param name="Address">Where it listens, with the real port.</param>
/// <param name="Handshake">Connections that are being let in.</param>
/// <param name="Relaying">Connections of clients that have a way to Telegram.</param>
/// <param name="Cover">Connections of strangers that see the cover.</param>
/// <param name="MaxConnections">Clients at a time; one more is a stranger.</param>
/// <param name="Users">Users whose secrets are good.</param>
/// <param name="Clients">Clients that had a way to Telegram, since the start.</param>
/// <param name="Strangers">Connections that were refused as strangers, since the start.</param>
/// <param name="EarlyEnds">Connections that may have been clients and ended before they relayed, since the start.</param>
/// <param name="ReceivedBytes">Bytes from clients, since the start.</param>
/// <param name="SentBytes">Bytes to them, since the start.</param>
public sealed record ListenerStatus(
    string Name, string Address, long Handshake, long Relaying, long Cover, int MaxConnections, int Users, long Clients, long Strangers,
    long EarlyEnds, long ReceivedBytes, long SentBytes);

/// <summary>One data centre.</summary>
/// <param name="Dc">Signed id, as clients give it.</param>
/// <param name="Reachable">False from the warning that it cannot be reached until a connection stands again.</param>
/// <param name="Connections">Connections of one client each.</param>
/// <param name="Links">Links to its middle proxies that are ready.</param>
/// <param name="LinkClients">Clients on those.</param>
/// <param name="ReceivedBytes">Bytes from it, since the start.</param>
/// <param name="SentBytes">Bytes to it, since the start.</param>
public sealed record DcStatus(
    int Dc, bool Reachable, long Connections, long Links, long LinkClients, long ReceivedBytes, long SentBytes);

/// <summary>What is known of middle proxies.</summary>
/// <param name="Source">embedded, cached (kept by an earlier run) or fetched: where the poorest part of it comes from.</param>
/// <param name="AsOf">When that came from Telegram.</param>
/// <param name="Dcs">Signed ids that have addresses.</param>
/// <param name="ExternalV4">The IPv4 address that Telegram sees us under; null = not known.</param>
/// <param name="ExternalV6">The same of IPv6.</param>
public sealed record MiddleProxyStatus(
    string Source, DateTimeOffset AsOf, ImmutableArray<int> Dcs, string? ExternalV4, string? ExternalV6);

/// <summary>What strangers see.</summary>
/// <param name="Mode">off, sni or fixed.</param>
/// <param name="Target">The site of the mode fixed; null in the others.</param>
/// <param name="Reachable">False from the warning that it cannot be reached until a connection stands again.</param>
/// <param name="Visitors">Strangers that have a place at the cover.</param>
/// <param name="MaxVisitors">Places there are.</param>
/// <param name="Flights">What was learnt of its TLS answer, for each name in links.</param>
public sealed record CoverStatus(
    string Mode, string? Target, bool Reachable, int Visitors, int MaxVisitors, ImmutableArray<FlightStatus> Flights);

/// <summary>What was learnt of a cover's TLS answer.</summary>
/// <param name="Domain">The name that was asked for.</param>
/// <param name="Target">The site that was asked.</param>
/// <param name="LearnedAt">When; null = never, and our flights have a random size.</param>
/// <param name="Problem">What the last attempt failed for; null = it did not.</param>
/// <param name="Notices">In what our flight differs from the cover's although it was learnt.</param>
/// <param name="NextAttempt">When it is asked again.</param>
public sealed record FlightStatus(
    string Domain, string Target, DateTimeOffset? LearnedAt, string? Problem, ImmutableArray<string> Notices, DateTimeOffset NextAttempt);

/// <summary>Memory, where it is nearest to its limit.</summary>
/// <param name="Level">normal, pressure, shedding or full.</param>
/// <param name="UsedBytes">In use.</param>
/// <param name="LimitBytes">Of so many; 0 = this system does not tell.</param>
public sealed record MemoryStatus(string Level, long UsedBytes, long LimitBytes);

/// <summary>File descriptors of the process.</summary>
/// <param name="Open">Open now; -1 = this system does not tell.</param>
/// <param name="Limit">The most there may be; null = any.</param>
public sealed record DescriptorStatus(long Open, long? Limit);

/// <summary>What is remembered of clients.</summary>
/// <param name="Items">Beginnings.</param>
/// <param name="Bytes">Memory that they take.</param>
/// <param name="DiskBytes">Size of their files.</param>
/// <param name="Unsaved">So many could not be written to the files.</param>
public sealed record ReplayStatus(long Items, long Bytes, long DiskBytes, long Unsaved);
