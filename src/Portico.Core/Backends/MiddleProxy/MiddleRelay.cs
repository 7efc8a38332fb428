using System.Net;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Users;
using Portico.Core.Sessions;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// Step 6 in middle mode: one client on a link that it shares with others. Its packets are cut out of the client's framing and sent as requests;
/// answers are put into the client's framing. When the link dies the client moves to another one and does not notice (spec/03 section 7).
/// This file: its life. The two directions are in files of their own.
/// </summary>
internal sealed partial class MiddleRelay : IRelay, IChannelOwner, ILoopTask, IDebtor
{
    // A client whose link died waits so long for another one; longer than the attempts of a network that comes back at once.
    private const int OrphanPatienceMs = 10_000;

    // Telegram answers within this what it answers at all; acknowledgements of clients, the most frequent last word, have no answer.
    private const int UnansweredMs = 2000;

    // More came down than went up: the parts of a long answer follow each other faster than this.
    private const int StreamingMs = 500;

    private readonly Session _session;
    private readonly Channel _client;
    private readonly MiddleProxyPool _pool;
    private readonly bool _isTls;
    private AddressBytes _address;
    private MiddleProxyConnection? _link;
    private long _lastActivityMs;
    private long _lastPacketMs;
    private long _lastRequestMs;
    private long _orphanedMs;
    private int _balance;
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
        if (client.EarlyLength > 0) _held.Append(Loop.Buffers, client.Early.AsSpan(0, client.EarlyLength));
    }

    [Flags]
    private enum State : byte
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

    public ClientNetwork Network => ClientNetwork.Of(Address);

    /// <summary>Position in its link's stream at which its last packet ends.</summary>
    public long LastFrameEnd { get; private set; }

    /// <summary>
    /// As many packets went up as came down since it was last silent, or that is long ago. Who is not at rest when a link dies waits for
    /// answers that may be lost, and the quickest way to get them is to connect again.
    /// </summary>
    public bool IsAtRest => _balance == 0 || Loop.NowMs - _lastPacketMs > (_balance > 0 ? UnansweredMs : StreamingMs);

    /// <summary>A packet of its own is so young that, on a link that broke, nobody can say whether it arrived.</summary>
    public bool SentLately => LastFrameEnd > 0 && Loop.NowMs - _lastRequestMs <= UnansweredMs;

    private EventLoop Loop => _client.Loop;

    /// <summary>Is put on a link, for the first time or after the last one died.</summary>
    public void Attach(MiddleProxyConnection link, long id)
    {
        _link = link;
        Id = id;
        LastFrameEnd = 0;
        link.Join(id, this);
        if (!IsOrphan) return;
        if (_queue is not null) link.Owe(OwedBytes, OwedPackets); // or what waits for slow clients would grow with every link that dies
        _state &= ~(State.Orphan | State.Blocked | State.Introduced);
        _session.Context.Metrics.Migrated(_session.Listener.Name, _pool.Dc, "ok");
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
        _lastActivityMs = _lastWriteMs = Loop.NowMs;
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
        var timeouts = _session.Context.Timeouts;
        var now = Loop.NowMs;
        if (IsOrphan && now - _orphanedMs >= OrphanPatienceMs) CloseMigrating("empty");
        else if (IsOverLimit && (now - _lastWriteMs >= NoProgressMs || _queue!.OverLimit.At(now) >= MostOverLimitMs)) Close(CloseReason.ClientQueueLimit);
        else if (_queue is not null && now - _lastWriteMs >= timeouts.ClientWrite.TotalMilliseconds) Close(CloseReason.ClientWriteTimeout);
        else if (now - _lastActivityMs >= timeouts.Idle.TotalMilliseconds) Close(CloseReason.IdleTimeout);
        else ArmDeadline();
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

    /// <summary>The link died. Who had a packet on it that cannot have arrived, or half an answer, must connect again; all others move.</summary>
    public void OnLinkLost(bool lostSomething)
    {
        _link = null;
        if (IsClosed) return;
        if (lostSomething)
        {
            CloseMigrating("mid_send");
            return;
        }

        _state |= State.Orphan;
        _orphanedMs = Loop.NowMs; // no activity: links die every minute, and a client that is gone must still reach its idle limit
        ArmDeadline();
        _pool.Migrate(this);
    }

    /// <summary>Telegram ended this client: what waits for it is delivered, then FIN.</summary>
    public void OnClosedByTelegram()
    {
        _link?.Leave(this, tellTelegram: false);
        _link = null;
        _state |= State.Ending;
        if (_queue is null) Close(CloseReason.DcClosed);
    }

    /// <summary>All clients of the link together owe too much, and this one most.</summary>
    public void OnLargestDebtor() => Close(CloseReason.ClientQueueLimit);

    private void CountPacket(int up)
    {
        if (Loop.NowMs - _lastPacketMs > UnansweredMs) _balance = 0;
        _balance += up;
        _lastPacketMs = Loop.NowMs;
    }

    private bool IsClosed => (_state & State.Closed) != 0;

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
        if (_queue is not null) due = Math.Min(due, _lastWriteMs + (long)timeouts.ClientWrite.TotalMilliseconds);
        if (IsOverLimit) due = Math.Min(due, Math.Min(_lastWriteMs + NoProgressMs, _queue!.OverLimit.Reaches(MostOverLimitMs)));
        if (IsOrphan) due = Math.Min(due, _orphanedMs + OrphanPatienceMs);
        _client.SetDeadline(Math.Max(due, Loop.NowMs));
    }

    private void CloseMigrating(string result)
    {
        _session.Context.Metrics.Migrated(_session.Listener.Name, _pool.Dc, result);
        Close(result == "empty" ? CloseReason.PoolEmpty : CloseReason.MidSend);
    }

    private void Close(CloseReason reason)
    {
        if (IsClosed) return;
        Release(tellTelegram: true);
        // FIN first, where the client may still be sending: unread input would turn closing into RST.
        if (reason.Side() == GuiltySide.Telegram || reason.IsProtocolError()) LingeringClose.Fin(_session, reason);
        else _session.Close(reason);
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
