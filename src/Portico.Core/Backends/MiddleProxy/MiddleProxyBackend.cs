using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Protocol.TelegramConfig;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// Step 5 in middle mode: a place for the client on a link
/// to the middle proxy of its data centre (spec/03). One per loop.
/// </summary>
internal sealed class MiddleProxyBackend(MiddleProxyServices services)
{
    // How long a client waits for a first link before it is let go.
    private const int PatienceMs = 5000;

    private readonly Dictionary<short, MiddleProxyPool> _pools = [];
    private readonly MemoryRelief _relief = new(services.Loop);
    private readonly List<HandshakeState> _withoutList = [];
    private long _nextId = RandomId();

    /// <summary>Writes this loop's links once per turn.</summary>
    public MiddleProxyFlusher Flusher { get; } = new(services.Loop);

    /// <summary>Ids of clients: told apart per link, so a counter per loop will do. It starts anywhere, as the reference's does.</summary>
    public long NextId() => _nextId++;

    /// <summary>On the loop: opens this loop's share of the links to every data centre, and later those to new ones.</summary>
    public void OpenInitial()
    {
        var all = services.Settings.ChatsUseMiddleProxies;
        foreach (var dc in services.Directory.Current.Dcs)
        {
            if (all || DcTable.IsMedia(dc)) PoolOf(dc).Maintain();
        }

        foreach (var handshake in _withoutList) handshake.Nudge();
    }

    /// <summary>Finds a place for the client, waiting a little while there is none.</summary>
    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    public async ValueTask<StepResult> ConnectAsync(HandshakeState handshake)
    {
        handshake.SetDeadline(services.Loop.NowMs + PatienceMs);
        short dc;
        while (!services.Directory.Current.TryResolve(handshake.Result.DcId, out dc))
        {
            // A list of the operator's own may not have come yet; a data centre that is not on it has no middle proxy.
            if (services.Directory.Current.Dcs.Length > 0)
                return StepResult.NoBackend(CloseReason.UnknownDc);
            _withoutList.Add(handshake);
            var wake = await handshake.NextEventAsync();
            _withoutList.Remove(handshake);
            if (wake == Wake.Shutdown) return StepResult.NoBackend(CloseReason.Shutdown);
            if (handshake.Session.Client.Failed)
                return StepResult.NoBackend(CloseReason.ClientReset);
            if (wake == Wake.Deadline) return StepResult.NoBackend(CloseReason.PoolEmpty);
        }

        if (handshake.Session.ClientAddress() is not { } address)
            return StepResult.NoBackend(CloseReason.ClientReset);
        var pool = PoolOf(dc);
        var relay = new MiddleRelay(handshake, pool, address);
        if (pool.TryAssign(relay)) return handshake.Through(relay);
        pool.Wait(handshake);
        try
        {
            while (true)
            {
                var wake = await handshake.NextEventAsync();
                if (wake == Wake.Shutdown) return relay.GiveUp(CloseReason.Shutdown);
                if (handshake.Session.Client.Failed) return relay.GiveUp(CloseReason.ClientReset);
                if (pool.TryAssign(relay)) return handshake.Through(relay);
                if (pool.IsUnknown) return relay.GiveUp(CloseReason.UnknownDc);
                if (wake == Wake.Deadline) return relay.GiveUp(CloseReason.PoolEmpty);
            }
        }
        finally
        {
            pool.StopWaiting(handshake);
        }
    }

    /// <summary>On the loop: new settings, which may bring clients here for the first time.</summary>
    public void Apply(ProxySettings settings)
    {
        services.Settings = settings;
        if (settings.UsesMiddleProxies) OpenInitial();
    }

    /// <summary>The configuration was replaced by one that leads elsewhere.</summary>
    public void OnConfigChanged()
    {
        foreach (var pool in _pools.Values) pool.OnConfigChanged();
        if (services.Settings.UsesMiddleProxies) OpenInitial();
    }

    /// <summary>Attempts to reach a data centre fail one after the other, <paramref name="link"/> last.</summary>
    public void OnUnreachable(MiddleProxyConnection link) =>
        services.Health.Failed(link.Dc, link.Address, link.Error, link.Why, services.Loop.NowMs);

    /// <summary>A middle proxy hung up during the set-up, for which keys were made of <paramref name="own"/>.</summary>
    public void OnHungUp(IPAddress own) => services.Health.HungUp(own, services.Loop.NowMs);

    /// <summary>A link is ready.</summary>
    public void OnReachable(MiddleProxyPool pool) => services.Health.Worked(pool.Dc);

    /// <summary>
    /// Memory was rented for a client's half packet, or for output it does not take:
    /// if that is too much, the largest holders go.
    /// </summary>
    public void OnHeld()
    {
        if (services.Loop.Buffers.Rented > services.Loop.Buffers.Budget)
            _relief.Begin(_pools.Values.SelectMany(pool => pool.Clients));
    }

    /// <summary>A pool's own work threw.</summary>
    public void OnFault(Exception error) => services.Health.PoolFaulted(error);

    private MiddleProxyPool PoolOf(short dc)
    {
        if (!_pools.TryGetValue(dc, out var pool))
            _pools[dc] = pool = new MiddleProxyPool(services, this, dc);
        return pool;
    }

    private static long RandomId()
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadInt64LittleEndian(bytes);
    }
}
