using System.Runtime.InteropServices;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// What the clients of one link were sent and have not taken yet (spec/03 section 8).
/// Above a limit the link is not read, which its other clients feel; so pauses have a budget,
/// and when that is spent the cause of them goes. Pure: the clock and the clients are arguments.
/// </summary>
internal sealed class LinkDebt(BackPressureSettings limits)
{
    /// <summary>What a waiting packet costs besides its bytes: without it, memory would not be bounded for the tiniest.</summary>
    public const int PacketOverhead = 64;

    /// <summary>Pauses of a link in ten seconds before its largest debtor goes.</summary>
    public const int PatienceMs = 1000;

    /// <summary>
    /// The same where the cause is plain: a client over its own limit,
    /// or a user or an address that owes more than its share.
    /// </summary>
    public const int CulpritPatienceMs = 50;

    // Looking for the cause costs a look at every client: not more often than this.
    private const int LookMs = 10;

    // One user or one address may owe this part of what all may.
    private const int Share = 2;

    private readonly Dictionary<Credential, Group> _users = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<ClientNetwork, Group> _networks = [];
    private LeakySum _pauses;
    private long _bytes;
    private long _packets;
    private long _pausedMs;

    /// <summary>Clients on the link.</summary>
    public int Clients { get; set; }

    /// <summary>The limit for which the link is not read.</summary>
    public DebtLimit Paused { get; private set; }

    /// <summary>The link is not read.</summary>
    public bool IsPaused => Paused != DebtLimit.None;

    /// <summary>While paused: when <see cref="Victim"/> is to be asked next.</summary>
    public long DueMs { get; private set; }

    /// <summary>A client could not be written to at once.</summary>
    /// <returns>True if the link must not be read from now on.</returns>
    public bool Owe(long bytes, int packets, long nowMs)
    {
        Count(bytes, packets);
        if (IsPaused) return false;
        Paused = Exceeded();
        if (!IsPaused) return false;
        _pausedMs = nowMs;
        DueMs = nowMs + DueIn(CulpritPatienceMs, nowMs);
        return true;
    }

    /// <summary>A client took what it was owed, or is gone.</summary>
    /// <returns>True if the link may be read again.</returns>
    public bool Pay(long bytes, int packets, long nowMs)
    {
        Count(-bytes, -packets);
        return IsPaused && Exceeded() == DebtLimit.None && EndPause(nowMs) >= 0;
    }

    /// <summary>The link is read again, or gone.</summary>
    /// <returns>How long it was not, in milliseconds; -1 if it was read all the time.</returns>
    public long EndPause(long nowMs)
    {
        if (!IsPaused) return -1;
        Paused = DebtLimit.None;
        LastPauseMs = nowMs - _pausedMs;
        _pauses.Add(LastPauseMs, nowMs);
        return LastPauseMs;
    }

    /// <summary>How long the last pause was.</summary>
    public long LastPauseMs { get; private set; }

    /// <summary>Who has to go for the link to be read again; null = not yet, see <see cref="DueMs"/>.</summary>
    public IDebtor? Victim(IEnumerable<IDebtor> clients, long nowMs)
    {
        var spent = _pauses.At(nowMs) + (nowMs - _pausedMs);
        if (!IsPaused) return null;
        if (spent < CulpritPatienceMs)
        {
            DueMs = nowMs + DueIn(CulpritPatienceMs, nowMs);
            return null;
        }

        var victim = LargestOverShare(_users, clients, static client => client.Credential)
            ?? LargestOverShare(_networks, clients, static client => client.Network)
            ?? Largest(clients, onlyOverLimit: true);
        if (victim is null && spent >= PatienceMs) victim = Largest(clients, onlyOverLimit: false);
        if (victim is null) DueMs = nowMs + DueIn(PatienceMs, nowMs);
        return victim;
    }

    private long DueIn(int patienceMs, long nowMs)
    {
        var spent = _pauses.At(nowMs) + (nowMs - _pausedMs);
        return Math.Max(LookMs, (long)Math.Ceiling(patienceMs - spent));
    }

    private void Count(long bytes, int packets)
    {
        _bytes += bytes + ((long)PacketOverhead * packets);
        _packets += packets;
    }

    // Checked in the order of the reference.
    private DebtLimit Exceeded()
    {
        if (_packets > limits.PacketsTotal) return DebtLimit.CountTotal;
        if (_bytes > limits.BytesTotal) return DebtLimit.BytesTotal;
        if (_packets > limits.PacketsPerClient * Clients) return DebtLimit.CountPerClient;
        if (_bytes > limits.BytesPerClient * Clients) return DebtLimit.BytesPerClient;
        return DebtLimit.None;
    }

    // By what was exceeded: a download of few large packets is not the cause where tiny ones are too many.
    private long Measure(IDebtor client) =>
        Paused.CountsPackets() ? client.OwedPackets : client.OwedBytes + ((long)PacketOverhead * client.OwedPackets);

    private IDebtor? Largest(IEnumerable<IDebtor> clients, bool onlyOverLimit)
    {
        IDebtor? largest = null;
        foreach (var client in clients)
        {
            if (Measure(client) > (largest is null ? 0 : Measure(largest)) && (!onlyOverLimit || client.IsOverLimit))
                largest = client;
        }

        return largest;
    }

    // Of all clients of one user, or of one address, that together owe too much.
    // Not if these are all there are: then the link is theirs alone.
    private IDebtor? LargestOverShare<TKey>(Dictionary<TKey, Group> groups, IEnumerable<IDebtor> clients, Func<IDebtor, TKey> keyOf)
        where TKey : notnull
    {
        groups.Clear();
        var count = 0;
        foreach (var client in clients)
        {
            count++;
            ref var group = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, keyOf(client), out _);
            var debt = Measure(client);
            group.Members++;
            group.Debt += debt;
            if (debt > (group.Largest is null ? 0 : Measure(group.Largest))) group.Largest = client;
        }

        var share = (Paused.CountsPackets() ? _packets : _bytes) / Share;
        IDebtor? largest = null;
        foreach (var group in groups.Values)
        {
            if (group.Debt > share && group.Members < count) largest = group.Largest;
        }

        groups.Clear(); // clients that are gone must not be held here
        return largest;
    }

    private struct Group
    {
        public int Members;
        public long Debt;
        public IDebtor? Largest;
    }
}
