using System.Collections.Immutable;
using System.Net;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// The links of one loop to one data centre's middle proxies: who is put where, when there are more,
/// when fewer (spec/03 section 6), and where clients go whose link died (section 7).
/// </summary>
internal sealed class MiddleProxyPool : ILoopTask
{
    // RFC 8305 section 5, as in direct mode: an attempt that has no answer by then is raced by one at another address.
    private const int RaceMs = 250;

    // A link that died younger than this counts as a failed attempt, or a server that hangs up at once would be called without a pause.
    private const int YoungMs = 2000;

    // Spec/03 section 6: two more when the least loaded is full, up to ten in set-up when it is half over.
    private const int StepUp = 2, MostInSetUp = 10;

    private readonly List<MiddleProxyConnection> _links = [];
    private readonly List<HandshakeState> _waiting = [];
    private readonly HashSet<MiddleRelay> _orphans = [];
    private readonly MiddleProxyAddresses _addresses = new();
    private readonly DcCounters _counters;
    private long _timerMs = -1;

    public MiddleProxyPool(MiddleProxyServices services, MiddleProxyBackend backend, short dc)
    {
        Services = services;
        Backend = backend;
        Dc = dc;
        _counters = services.Counters.Of(dc);
    }

    public MiddleProxyServices Services { get; }

    public MiddleProxyBackend Backend { get; }

    /// <summary>Signed id of the data centre.</summary>
    public short Dc { get; }

    public MiddleProxySettings Settings => Services.Settings.Middle;

    // Of the configured number per process, this loop's share.
    private int Least
    {
        get
        {
            if (!Services.Settings.UsesMiddleProxies) return 0;
            var (loops, index) = (Services.Loops, Services.Loop.Index);
            return (Settings.InitialConnections / loops) + (index < Settings.InitialConnections % loops ? 1 : 0);
        }
    }

    /// <summary>Puts a client on the least loaded link that is ready. False when there is none; one is being opened then.</summary>
    public bool TryAssign(MiddleRelay client)
    {
        MiddleProxyConnection? least = null;
        var inSetUp = 0;
        foreach (var link in _links)
        {
            if (!link.IsReady) inSetUp++;
            else if (least is null || link.ClientCount < least.ClientCount) least = link;
        }

        if (least is null)
        {
            Maintain();
            return false;
        }

        client.Attach(least, Backend.NextId());
        var most = Settings.ClientsPerConnection;
        var more = least.ClientCount <= most ? 0
            : inSetUp == 0 ? StepUp
            : least.ClientCount > most + (most / 2) ? MostInSetUp - inSetUp
            : 0;

        Open(more);
        return true;
    }

    /// <summary>Every client of this pool, on a link or waiting for one.</summary>
    public IEnumerable<MiddleRelay> Clients => _links.SelectMany(link => link.Clients).Concat(_orphans);

    /// <summary>Wakes <paramref name="handshake"/> when a link is ready.</summary>
    public void Wait(HandshakeState handshake)
    {
        _waiting.Add(handshake);
        Maintain();
    }

    /// <summary>No longer waiting.</summary>
    public void StopWaiting(HandshakeState handshake) => _waiting.Remove(handshake);

    /// <summary>A client whose link died is put on another one, now or as soon as there is one.</summary>
    public void Migrate(MiddleRelay client)
    {
        if (TryAssign(client)) return;
        _orphans.Add(client);
        Maintain();
    }

    /// <summary>A client that waited for a link is gone: no link is wanted for it.</summary>
    public void Forget(MiddleRelay client) => _orphans.Remove(client);

    /// <summary>The list that is in force does not name this data centre: there will be no link.</summary>
    public bool IsUnknown => Addresses.IsEmpty;

    private ImmutableArray<IPEndPoint> Addresses => Services.Directory.Current.Find(Dc, Services.Settings.PreferIPv6);

    /// <summary>Opens what is missing, as far as earlier failures allow.</summary>
    public void Maintain()
    {
        if (IsUnknown)
        {
            LetGo();
            return;
        }

        var now = Services.Loop.NowMs;
        var someoneWaits = _waiting.Count > 0 || _orphans.Count > 0;
        var wanted = Math.Max(Least, someoneWaits ? 1 : 0);
        if (_orphans.Count > Settings.ClientsPerConnection)
            wanted = Math.Max(wanted, Math.Min(MostInSetUp, _orphans.Count / Settings.ClientsPerConnection));
        var (ready, fresh, stalled) = (
            _links.Count(link => link.IsReady), _links.Count(link => IsFresh(link, now)), _links.Count(link => IsStalled(link, now)));

        // An attempt without an answer is no link to those who wait for one.
        var isUrgent = someoneWaits || ready == 0;
        var missing = wanted - ready - fresh - (isUrgent ? 0 : stalled);
        var began = fresh;
        if (missing > 0) fresh += Open(Math.Min(missing, MostInSetUp - fresh - stalled));
        if (missing > fresh - began) SetTimer(_addresses.RestedMs(Addresses, now));
        if (wanted > ready && isUrgent && fresh > 0) SetTimer(now + RaceMs);
    }

    /// <summary>The list, the secret or our own address has changed: what failed before may work now.</summary>
    public void OnConfigChanged()
    {
        _addresses.Forget();
        Maintain();
    }

    /// <summary>A link without clients asks whether it may go.</summary>
    public bool CanSpare(MiddleProxyConnection link) => _links.Contains(link) && _links.Count > Least;

    /// <summary>An idle link closed itself.</summary>
    public void OnRetired(MiddleProxyConnection link) => _links.Remove(link);

    /// <summary>A link is ready.</summary>
    public void OnConnected()
    {
        Backend.OnReachable(this);
        MiddleRelay[] orphans = [.. _orphans];
        _orphans.Clear();
        foreach (var orphan in orphans) Migrate(orphan);
        foreach (var handshake in _waiting) handshake.Nudge();
    }

    /// <summary>A link ended or could not be set up. Called before its clients are told, so that none of them is put on it again.</summary>
    public void OnLost(MiddleProxyConnection link, bool wasReady)
    {
        _links.Remove(link);
        if (wasReady && Services.Loop.NowMs - link.OpenedMs >= YoungMs)
            _addresses.Worked(link.Address);
        else
            Failed(link);
        Maintain();
    }

    public void Run()
    {
        _timerMs = -1;
        Maintain();
    }

    public void OnFault(Exception error) => Backend.OnFault(error);

    private int Open(int count)
    {
        var (config, now, opened) = (Services.Directory.Current, Services.Loop.NowMs, 0);
        while (opened < count && _addresses.Next(Addresses, now, AttemptsAt) is { } address)
        {
            var link = new MiddleProxyConnection(this, address, config, _counters);
            if (!link.Open())
            {
                Failed(link);
                continue;
            }

            _links.Add(link);
            opened++;
        }

        return opened;
    }

    private (int Fresh, int Stalled) AttemptsAt(IPEndPoint address)
    {
        var (now, fresh, stalled) = (Services.Loop.NowMs, 0, 0);
        foreach (var link in _links)
        {
            if (!link.Address.Equals(address)) continue;
            if (IsFresh(link, now)) fresh++;
            else if (IsStalled(link, now)) stalled++;
        }

        return (fresh, stalled);
    }

    private static bool IsFresh(MiddleProxyConnection link, long nowMs) => !link.IsReady && nowMs - link.OpenedMs < RaceMs;

    private static bool IsStalled(MiddleProxyConnection link, long nowMs) => !link.IsReady && nowMs - link.OpenedMs >= RaceMs;

    private void Failed(MiddleProxyConnection link)
    {
        _addresses.Failed(link.Address, link.OpenedMs, Services.Loop.NowMs, link.HasServed);
        if (link.RefusedAs is { } own) Backend.OnHungUp(own);
        var isDown =
            _addresses.Failures > 1 && !_links.Exists(other => other.IsReady) && _addresses.AllFailed(Addresses, Services.Loop.NowMs);
        if (isDown) Backend.OnUnreachable(link);
    }

    // Nothing will come for those who wait.
    private void LetGo()
    {
        MiddleRelay[] orphans = [.. _orphans];
        foreach (var orphan in orphans) orphan.OnUnknownDc();
        foreach (var handshake in _waiting) handshake.Nudge();
    }

    private void SetTimer(long dueMs)
    {
        if (dueMs == long.MaxValue || (_timerMs >= 0 && _timerMs <= dueMs)) return;
        _timerMs = dueMs;
        Services.Loop.EnqueueAt(dueMs, this);
    }
}
