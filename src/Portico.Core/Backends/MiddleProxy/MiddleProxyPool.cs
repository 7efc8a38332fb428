using System.Net;
using System.Security.Cryptography;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// The links of one loop to one data centre's middle proxies: who is put where, when there are more, when fewer (spec/03 section 6), and where
/// clients go whose link died (section 7).
/// </summary>
internal sealed class MiddleProxyPool : ILoopTask
{
    private const int FirstRetryMs = 300, LongestRetryMs = 30_000;

    // A link that died younger than this counts as a failed attempt, or a server that hangs up at once would be called without a pause.
    private const int YoungMs = 2000;

    // Spec/03 section 6: two more when the least loaded is full, up to ten in set-up when it is half over.
    private const int StepUp = 2, MostInSetUp = 10;

    private readonly List<MiddleProxyConnection> _links = [];
    private readonly List<HandshakeState> _waiting = [];
    private readonly HashSet<MiddleRelay> _orphans = [];
    private readonly DcCounters _counters;
    private int _failures;
    private long _failedMs = -1;
    private long _nextAttemptMs;
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

        // Clients go on coming while attempts fail: without the pause each of them would be two attempts more.
        if (Services.Loop.NowMs >= _nextAttemptMs) Open(more);
        return true;
    }

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

    /// <summary>Opens what is missing, as far as earlier failures allow.</summary>
    public void Maintain()
    {
        var someoneWaits = _waiting.Count > 0 || _orphans.Count > 0;
        var wanted = Math.Max(Least, someoneWaits ? 1 : 0);
        if (_orphans.Count > Settings.ClientsPerConnection) wanted = Math.Max(wanted, Math.Min(MostInSetUp, _orphans.Count / Settings.ClientsPerConnection));
        if (_links.Count >= wanted) return;
        if (Services.Loop.NowMs >= _nextAttemptMs) Open(wanted - _links.Count);
        if (_links.Count < wanted) SetTimer(Math.Max(_nextAttemptMs, Services.Loop.NowMs + 1));
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
        if (wasReady && Services.Loop.NowMs - link.OpenedMs >= YoungMs) _failures = 0;
        else Failed(link.OpenedMs);
        Maintain();
    }

    public void Run()
    {
        _timerMs = -1;
        Maintain();
    }

    public void OnFault(Exception error) => Backend.OnFault(error);

    private void Open(int count)
    {
        for (; count > 0; count--)
        {
            var config = Services.Directory.Current;
            var addresses = config.Find(Dc, Services.Settings.PreferIPv6);
            if (addresses.Length == 0)
            {
                Failed(Services.Loop.NowMs);
                return;
            }

            IPEndPoint address = addresses[RandomNumberGenerator.GetInt32(addresses.Length)];
            var link = new MiddleProxyConnection(this, address, config, _counters);
            if (!link.Open())
            {
                Failed(link.OpenedMs);
                return;
            }

            _links.Add(link);
        }
    }

    // Attempts that began together fail together, and are one failure: ten of them must not wait as long as ten in a row.
    private void Failed(long begunMs)
    {
        if (begunMs <= _failedMs) return;
        _failedMs = Services.Loop.NowMs;
        _failures = Math.Min(_failures + 1, 16);
        var wait = Math.Min((long)FirstRetryMs << (_failures - 1), LongestRetryMs);
        _nextAttemptMs = _failedMs + (wait / 2) + RandomNumberGenerator.GetInt32((int)(wait / 2) + 1);
        if (_failures > 1 && !_links.Exists(link => link.IsReady)) Backend.OnUnreachable(this);
    }

    private void SetTimer(long dueMs)
    {
        if (_timerMs >= 0 && _timerMs <= dueMs) return;
        _timerMs = dueMs;
        Services.Loop.EnqueueAt(dueMs, this);
    }
}
