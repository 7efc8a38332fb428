using System.Net;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// Step 6 in middle mode: one client on a link that it shares with others. Its packets are cut
/// out of the client's framing and sent as requests; answers are put into the client's framing.
/// When the link dies the client moves to another one and does not notice (spec/03 section 7).
/// This file: its life. The two directions are in files of their own.
/// </summary>
internal sealed partial class MiddleRelay : IRelay, IChannelOwner, ILoopTask, IDebtor, IMemoryHolder
{
    // A client whose link died waits so long for another one; longer than the attempts of a network that comes back at once.
    private const int OrphanPatienceMs = 10_000;

    // Only a client that was quiet for so long may change links: the parts of an answer, or a question behind it, may be under way.
    private const int QuietMs = 2000;

    // A last packet of the client that had no answer for so long, such as an acknowledgement, gets none.
    private const int UnansweredMs = 30_000;

    // A client that has finished sending is given the answers that are due for so long;
    // then the parts of an answer follow each other faster than this.
    private const int FarewellMs = 10_000, StreamingMs = 500;

    // Half a packet without another byte for so long will not become a whole one.
    private const int HalfPacketMs = 60_000;

    private readonly Session _session;
    private readonly Channel _client;
    private readonly MiddleProxyPool _pool;
    private readonly bool _isTls;
    private AddressBytes _address;
    private MiddleProxyConnection? _link;
    private long _lastActivityMs;
    private long _lastPacketMs = -UnansweredMs; // none yet

    // Since when it waits for a link, or has finished sending.
    private long _waitsSinceMs;
    private State _state;

    public MiddleRelay(HandshakeState handshake, MiddleProxyPool pool, IPEndPoint address)
    {
        var client = handshake.Result;
        _session = handshake.Session;
        _client = _session.Client;
        _pool = pool;
        Credential = client.Credential!;
        _isTls = client.IsTls;
        Transport = client.Transport;
        RpcAddress.Write(address.Address, _address);
        Port = (ushort)address.Port;
        _records = client.Records;
        _ramp = _session.Context.NewRamp();
        _fromClient = client.Streams.ClientToServer;
        _toClient = client.Streams.ServerToClient;
        if (client.EarlyLength > 0)
            _held.Append(Loop.Buffers, client.Early.AsSpan(0, client.EarlyLength));
    }

    [Flags]
    private enum State : ushort
    {
        None = 0,

        /// <summary>Over.</summary>
        Closed = 1,

        /// <summary>In the loop's queue.</summary>
        Queued = 2,

        /// <summary>Its link takes no packets now.</summary>
        Blocked = 4,

        /// <summary>Its link died; it is waiting for another one.</summary>
        Orphan = 8,

        /// <summary>Telegram knows the id it has on its link.</summary>
        Introduced = 16,

        /// <summary>Telegram ended it; what waits is still delivered.</summary>
        Ending = 32,

        /// <summary>The first packet from Telegram has been looked at.</summary>
        Answered = 64,

        /// <summary>The newest packet is the client's.</summary>
        Asked = 128,

        /// <summary>The client has finished sending; answers that are due are still delivered.</summary>
        Leaving = 256,

        /// <summary>Its deadline looks after half a packet too.</summary>
        HalfPacketTimed = 512,
    }

    /// <summary>Its id on its link.</summary>
    public long Id { get; private set; }

    public Transport Transport { get; }

    /// <summary>16 bytes, IPv4 mapped.</summary>
    public ReadOnlySpan<byte> Address => _address;

    public ushort Port { get; }

    /// <summary>Of its user or listener; empty = none.</summary>
    public ReadOnlySpan<byte> AdTag => Credential.AdTag is { } tag ? tag.Bytes : default;

    public Credential Credential { get; }

    public Session Session => _session;

    public ClientNetwork Network => ClientNetwork.Of(Address);

    private EventLoop Loop => _client.Loop;

    /// <summary>Is put on a link, for the first time or after the last one died.</summary>
    public void Attach(MiddleProxyConnection link, long id)
    {
        _link = link;
        Id = id;
        link.Join(id, this);
        if (!IsOrphan) return;
        // or what waits for slow clients would grow with every link that dies
        if (_queue is not null) link.Owe(OwedBytes, OwedPackets);
        _state &= ~(State.Orphan | State.Blocked | State.Introduced);
        _lastHeldMs = Loop.NowMs;
        _session.Context.Metrics.Migrated(_session.Listener.Name, _pool.Dc, MigrationResult.Ok.Tag());
        ArmDeadline();
        Enqueue();
    }

    /// <summary>Its handshake ends without it.</summary>
    public StepResult GiveUp(CloseReason reason)
    {
        _held.Drop(Loop.Buffers);
        return StepResult.NoBackend(reason);
    }

    public void Start()
    {
        _client.Owner = this;
        _session.MarkRelaying();
        _lastActivityMs = _lastHeldMs = Loop.NowMs;
        ArmDeadline();
        try
        {
            Pump();
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            OnFault(error); // the handshake below on the stack would end the session without taking it off its link
        }
    }

    public void OnReady(Channel channel) => Pump();

    public void Run()
    {
        _state &= ~State.Queued;
        Pump();
    }

    public void OnDeadline(Channel channel)
    {
        _state &= ~State.HalfPacketTimed;
        var timeouts = _session.Context.Timeouts;
        var now = Loop.NowMs;
        var silentMs = now >= _nextLookMs ? LookHowFarItIs() : 0;
        if (IsOrphan && now - _waitsSinceMs >= OrphanPatienceMs)
            CloseMigrating(MigrationResult.Empty);
        else if (IsLeaving && now >= FarewellDueMs)
            Close(CloseReason.ClientClosed);
        else if (IsOverLimit && (silentMs >= NoProgressMs || _queue!.OverLimit.At(now) >= MostOverLimitMs))
            Close(CloseReason.ClientQueueLimit);
        else if (silentMs >= timeouts.ClientWrite.TotalMilliseconds)
            Close(CloseReason.ClientWriteTimeout);
        else if (AwaitsRest && now - _lastHeldMs >= HalfPacketMs)
            Close(CloseReason.PacketTimeout);
        else if (now - _lastActivityMs >= timeouts.Idle.TotalMilliseconds)
            Close(CloseReason.IdleTimeout);
        else
            ArmDeadline();
    }

    public void OnShutdown(Channel channel)
    {
        if (IsClosed) return;
        Release(tellTelegram: false);
        _session.Close(CloseReason.Shutdown);
    }

    public void OnFault(Exception error)
    {
        if (!IsClosed) Release(tellTelegram: true);
        _session.Fault(error);
    }

    /// <summary>
    /// The link died. A client moves only if nothing can have been under way:
    /// it was quiet both ways, and its last packet had its answer or will never have one.
    /// All others must connect again, which is quicker than waiting for an answer that is lost.
    /// </summary>
    /// <param name="lostHalf">Half of an answer for it had come.</param>
    public void OnLinkLost(bool lostHalf)
    {
        _link = null;
        if (IsClosed) return;
        if (IsLeaving)
        {
            Close(CloseReason.ClientClosed);
            return;
        }

        var quietMs = Loop.NowMs - _lastPacketMs;
        if (lostHalf || quietMs < (IsAsking ? UnansweredMs : QuietMs))
        {
            CloseMigrating(MigrationResult.MidSend);
            return;
        }

        _state |= State.Orphan;
        _waitsSinceMs = Loop.NowMs; // no activity: links die every minute, and a client that is gone must still reach its idle limit
        ArmDeadline();
        _pool.Migrate(this);
    }

    /// <summary>It waits for a link to a data centre that the list does not name any more.</summary>
    public void OnUnknownDc() => CloseMigrating(MigrationResult.NotFound);

    /// <summary>Telegram ended this client, which its link has let go: what waits for it is delivered, then FIN.</summary>
    public void OnClosedByTelegram()
    {
        _link = null;
        _state |= State.Ending;
        if (_queue is null) Close(CloseReason.DcClosed);
    }

    /// <summary>A packet for it found its connection gone.</summary>
    public void OnGone() => Close(CloseReason.ClientReset);

    /// <summary>All clients of the link together owe too much, and this one most.</summary>
    public void OnLargestDebtor() => Close(CloseReason.ClientQueueLimit);

    /// <summary>Memory is short, and this client is one of those that hold most.</summary>
    public void LetGo(CloseReason reason) => Close(reason);

    MemoryStanding IMemoryHolder.Standing => MemoryStanding.Client;

    long IMemoryHolder.SinceMs => _lastActivityMs;

    long IMemoryHolder.QuietSinceMs => HeldBytes > 0 ? long.MaxValue : _lastActivityMs;

    /// <summary>What it does not take, or the rest of a packet that it does not send.</summary>
    public long StuckMs(long nowMs) =>
        Math.Max(_progress.IsWatched ? _progress.Look(_client, WaitsForClient, nowMs) : 0, AwaitsRest ? nowMs - _lastHeldMs : 0);

    /// <summary>Memory that is held for it.</summary>
    public long HeldBytes => _held.Capacity + OwedBytes;

    private void CountPacket(bool isClients)
    {
        _state = isClients ? _state | State.Asked : _state & ~State.Asked;
        _lastPacketMs = Loop.NowMs;
    }

    private bool IsClosed => (_state & State.Closed) != 0;

    private bool IsAsking => (_state & State.Asked) != 0;

    private bool IsLeaving => (_state & (State.Leaving | State.Closed)) == State.Leaving;

    // While more of an answer may come, and what waits is not written, no longer than the farewell; at the end of an answer, sooner.
    private long FarewellDueMs
    {
        get
        {
            // What waits for its user's rate is on its way as long as it moves.
            var last = (IsDownHeldBack ? Math.Max(_waitsSinceMs, _lastActivityMs) : _waitsSinceMs) + FarewellMs;
            return IsAsking || _queue is not null ? last : Math.Min(last, _lastPacketMs + StreamingMs);
        }
    }

    private bool IsOrphan => (_state & (State.Orphan | State.Closed)) == State.Orphan;

    /// <summary>More waits for it than one client may be owed.</summary>
    public bool IsOverLimit => _queue is not null && _queue.OverLimit.IsRunning;

    private void Pump()
    {
        if (IsClosed) return;
        if (_client.Failed)
        {
            Close(CloseReason.ClientReset);
            return;
        }

        if (_queue is not null) FlushToClient();
        if (ReadClient()) Enqueue();
        else AwaitTurn();
        // Its beginning may have come with the handshake.
        if (AwaitsRest && (_state & State.HalfPacketTimed) == 0) ArmDeadline();
    }

    private void Enqueue()
    {
        if ((_state & (State.Queued | State.Closed)) != 0) return;
        _state |= State.Queued;
        Loop.Enqueue(this);
    }

    private void ArmDeadline()
    {
        var timeouts = _session.Context.Timeouts;
        var due = _lastActivityMs + (long)timeouts.Idle.TotalMilliseconds;
        due = Math.Min(due, _nextLookMs);
        if (IsOverLimit) due = Math.Min(due, _queue!.OverLimit.Reaches(MostOverLimitMs));
        if (IsOrphan) due = Math.Min(due, _waitsSinceMs + OrphanPatienceMs);
        if (IsLeaving) due = Math.Min(due, FarewellDueMs);
        if (AwaitsRest)
        {
            due = Math.Min(due, _lastHeldMs + HalfPacketMs);
            _state |= State.HalfPacketTimed;
        }

        _client.SetDeadline(Math.Max(due, Loop.NowMs));
    }

    private void CloseMigrating(MigrationResult result)
    {
        _session.Context.Metrics.Migrated(_session.Listener.Name, _pool.Dc, result.Tag());
        Close(result switch
        {
            MigrationResult.Empty => CloseReason.PoolEmpty,
            MigrationResult.NotFound => CloseReason.UnknownDc,
            _ => CloseReason.MidSend,
        });
    }

    private void Close(CloseReason reason)
    {
        if (IsClosed) return;
        Release(tellTelegram: true);
        // FIN first, where the client may still be sending: unread input would turn closing into RST.
        if (reason.Side() == GuiltySide.Telegram || reason.IsProtocolError())
            LingeringClose.Fin(_session, reason);
        else
            _session.Close(reason);
    }

    private void Release(bool tellTelegram)
    {
        if (IsOrphan) _pool.Forget(this);
        _state |= State.Closed;
        _link?.Leave(this, tellTelegram && (_state & State.Introduced) != 0);
        _link = null;
        _held.Drop(Loop.Buffers);
        if (_queue is not null) DropQueue();
    }

    [System.Runtime.CompilerServices.InlineArray(RpcAddress.Length)]
    private struct AddressBytes
    {
        private byte _first;
    }
}
