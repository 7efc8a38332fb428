using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.TestKit.Time;

namespace Portico.TestKit.Memory;

/// <summary>
/// A loop without a thread: the test turns it. Events come as epoll gives them: a channel is on the ready
/// list once, its state is looked at when a batch is collected, and handlers run after that.
/// </summary>
internal sealed class MemoryLoop(int index, ManualTime time, Turbulence? turbulence) : EventLoop(index, time)
{
    private const int EventsPerTurn = 256;

    // Far beyond what any test needs: a session that wakes itself for ever.
    private const int MostTurns = 200_000;

    private readonly List<MemoryChannel> _ready = new(EventsPerTurn);
    private readonly (ulong Token, Readiness State)[] _batch = new (ulong, Readiness)[EventsPerTurn];
    private readonly Queue<(MemoryPeer Peer, IAcceptor Acceptor, IPEndPoint Remote)> _incoming = new();
    private readonly List<MemoryPeer> _peers = [];
    private readonly Dictionary<IPEndPoint, ConnectAnswer> _answers = [];
    private bool _wasIdle;

    public override Channel? Adopt(Socket socket, IChannelOwner owner) => throw new NotSupportedException();

    /// <summary>Null in calm weather: what is sent has arrived.</summary>
    public Turbulence? Turbulence => turbulence;

    /// <summary>Every attempt of the proxy to connect, in order.</summary>
    public List<MemoryConnect> Connects { get; } = [];

    /// <summary>Where clients that call from now on come from.</summary>
    public IPEndPoint RemoteOfClients { get; set; } = new(IPAddress.Parse("192.0.2.1"), 50000);

    /// <summary>Called when a connection of the proxy stands, before the proxy knows: what the far end sends here is there first.</summary>
    public Action<MemoryConnect>? Connected { get; set; }

    /// <summary>
    /// Called before each read, write and connect of the proxy: the moments at which the world outside may have moved on.
    /// </summary>
    public Action? BetweenSteps { get; set; }

    /// <summary>Bytes that the engine itself allocated inside calls of the proxy: not the proxy's.</summary>
    public long OwnAllocations { get; private set; }

    /// <summary>From now on attempts to connect to <paramref name="address"/> end like this; others are accepted.</summary>
    public void Answer(IPEndPoint address, ConnectAnswer answer) => _answers[address] = answer;

    /// <summary>A client connects to a listening address. It can send before the proxy accepts.</summary>
    public MemoryPeer Call(IAcceptor acceptor)
    {
        var peer = NewPeer();
        _incoming.Enqueue((peer, acceptor, RemoteOfClients));
        return peer;
    }

    /// <summary>Turns until nothing is left to do at this time of the clock.</summary>
    public void RunUntilIdle()
    {
        // Production loops have no synchronization context; the runner's would take continuations off this thread.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Enter();
            // A deadline of an idle turn may have queued something: only a second idle turn is the end.
            for (int turns = 0, idle = 0; idle < 2; turns++)
            {
                if (turns == MostTurns)
                    throw new InvalidOperationException("the loop does not come to rest");
                Turn();
                idle = _wasIdle ? idle + 1 : 0;
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>Moves the clock from deadline tick to deadline tick, running what becomes due at each.</summary>
    public void Advance(TimeSpan by)
    {
        RunUntilIdle();
        while (by > TimeSpan.Zero)
        {
            var sleep = SleepMs();
            var step = sleep < 0 ? by : TimeSpan.FromMilliseconds(Math.Max(1, sleep));
            if (step > by) step = by;
            time.Advance(step);
            by -= step;
            RunUntilIdle();
        }
    }

    public override Channel? Connect(EndPoint address, IPAddress? from, IChannelOwner owner, out SocketError error)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var channel = Begin((IPEndPoint)address, owner, out error);
        CountOwn(before);
        return channel;
    }

    /// <summary>Puts a channel on the ready list.</summary>
    public void MarkReady(MemoryChannel channel)
    {
        if (channel.IsMarked || channel.IsClosed) return;
        channel.IsMarked = true;
        _ready.Add(channel);
    }

    /// <summary>Called by channels in the middle of the proxy's own work: in rough weather anything may arrive just now.</summary>
    public void Meanwhile()
    {
        BetweenSteps?.Invoke();
        if (turbulence is not null && turbulence.Chance(3)) Stir(turbulence);
    }

    /// <summary>What was allocated since <paramref name="before"/> is the engine's.</summary>
    public void CountOwn(long before) => OwnAllocations += GC.GetAllocatedBytesForCurrentThread() - before;

    protected override void Wake()
    {
    }

    private MemoryChannel? Begin(IPEndPoint address, IChannelOwner owner, out SocketError error)
    {
        Meanwhile();
        var answer = _answers.GetValueOrDefault(address, ConnectAnswer.Accept);
        error = answer == ConnectAnswer.NoSocket ? SocketError.TooManyOpenSockets : SocketError.Success;
        if (answer == ConnectAnswer.NoSocket) return null;
        var peer = NewPeer();
        var channel = new MemoryChannel(this, owner, peer, address, connected: false);
        var connect = new MemoryConnect(address, peer, NowMs);
        Connects.Add(connect);
        if (answer == ConnectAnswer.Refuse) connect.Fail(SocketError.ConnectionRefused);
        if (answer == ConnectAnswer.Accept && turbulence is null) Stand(connect);
        return channel;
    }

    protected override void WaitAndRaise(int timeoutMs)
    {
        if (turbulence is not null) Stir(turbulence);
        var accepted = _incoming.Count > 0;
        while (_incoming.TryDequeue(out var call))
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var channel = new MemoryChannel(this, NullOwner.Instance, call.Peer, call.Remote, connected: true);
            CountOwn(before);
            call.Acceptor.OnAccepted(channel);
        }

        _wasIdle = !accepted && timeoutMs != 0 && _ready.Count == 0 && (turbulence is null || IsCalm());
        ReadClock();
        var count = Collect();
        for (var i = 0; i < count; i++)
        {
            var (token, state) = _batch[i];
            Slots.Find(token)?.Raise(state.Readable, state.Writable, state.HungUp, state.Failed);
        }
    }

    private MemoryPeer NewPeer()
    {
        var peer = new MemoryPeer(this);
        if (turbulence is not null) _peers.Add(peer);
        return peer;
    }

    private int Collect()
    {
        if (_ready.Count == 0) return 0;
        var taken = Math.Min(_ready.Count, EventsPerTurn);
        if (turbulence is not null)
        {
            turbulence.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ready));
            taken = Math.Min(taken, turbulence.Piece(_ready.Count));
        }

        var count = 0;
        for (var i = 0; i < taken; i++)
        {
            var channel = _ready[i];
            channel.IsMarked = false;
            var state = channel.IsClosed ? default : channel.Poll();
            if (!state.IsNothing) _batch[count++] = (channel.Token, state);
        }

        _ready.RemoveRange(0, taken);
        return count;
    }

    private void Stand(MemoryConnect connect)
    {
        Connected?.Invoke(connect);
        connect.Succeed();
    }

    private void Stir(Turbulence weather)
    {
        foreach (var connect in Connects)
        {
            if (connect.IsDecided || connect.IsReleased || !weather.Chance(2)) continue;
            if (_answers.GetValueOrDefault(connect.Address, ConnectAnswer.Accept) == ConnectAnswer.Accept)
                Stand(connect);
        }

        foreach (var peer in _peers) peer.Deliver();
    }

    private bool IsCalm() =>
        _peers.TrueForAll(peer => peer.IsCalm)
        && Connects.TrueForAll(connect => connect.IsDecided
            || connect.IsReleased
            || _answers.GetValueOrDefault(connect.Address, ConnectAnswer.Accept) != ConnectAnswer.Accept);
}
