using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;

namespace Portico.Core.Cover;

/// <summary>
/// A stranger at the cover: two pipes of raw bytes, as methods that the loop calls.
/// What the cover does to its end of the connection we do to ours: FIN for FIN,
/// RST for RST, and no timer of ours ends it. Holds no buffer while nothing is pending.
/// </summary>
internal sealed class CoverRelay : LoopTask, IChannelOwner, ICoverGuest, IMemoryHolder
{
    // Per event and direction: 4 x 64 KB, then the other sessions of the loop have their turn.
    private const int ReadsPerTurn = 4;

    private readonly Session _session;
    private readonly CoverPlace _place;
    private Pipe _up;
    private Pipe _down;
    private long _lastNewsMs;
    private CloseReason? _firstEnd;
    private bool _isCoverDeaf;
    private bool _saidAfterCoverEnd;
    private bool _closed;
    private bool _isVouchedFor;

    private CoverRelay(Session session, CoverConnection connection)
    {
        _session = session;
        _up = new Pipe(session.Client, connection.Channel!);
        _down = new Pipe(connection.Channel!, session.Client);
        _place = connection.Place;
    }

    public Session Session => _session;

    private Channel Client => _down.Sink;

    private Channel Cover => _up.Sink;

    private bool CanReadClient => _up.CanRead && !_isCoverDeaf && !_closed;

    private bool CanReadCover => _down.CanRead && !_closed;

    private bool MayReadClient => CanReadClient && _up.MayRead;

    private bool MayReadCover => CanReadCover && _down.MayRead;

    MemoryStanding IMemoryHolder.Standing => _isVouchedFor ? MemoryStanding.Client : MemoryStanding.Stranger;

    long IMemoryHolder.HeldBytes => _up.HeldBytes + _down.HeldBytes;

    long IMemoryHolder.SinceMs => _lastNewsMs;

    long IMemoryHolder.QuietSinceMs => _up.IsPending || _down.IsPending ? long.MaxValue : _lastNewsMs;

    // Of a client's connection the host behind knows best.
    long IMemoryHolder.StuckMs(long nowMs) => _isVouchedFor ? 0 : nowMs - _lastNewsMs;

    void IMemoryHolder.LetGo(CloseReason reason) => Leave(reason);

    /// <summary>The cover knows the stranger for a client: it no longer counts among strangers, nor among those of its address.</summary>
    public void Vouch()
    {
        if (_isVouchedFor || _closed) return;
        _isVouchedFor = true;
        _place.Leave();
        _session.LeaveAddress();
    }

    /// <summary>Takes client and cover over from the handshake. First goes what the client has said so far.</summary>
    /// <param name="session">The stranger.</param>
    /// <param name="connection">The way to the cover.</param>
    /// <param name="raw">What the client has said so far.</param>
    /// <param name="hasClientEnded">It has finished sending.</param>
    public static void Start(Session session, CoverConnection connection, ReadOnlySpan<byte> raw, bool hasClientEnded)
    {
        var relay = new CoverRelay(session, connection);
        connection.TakeRest(raw, session.Context.Loop.Buffers, ref relay._up);
        relay.Client.Owner = relay;
        relay.Cover.Owner = relay;
        relay._place.Guest = relay;
        try
        {
            relay.NoteNews();
            if (hasClientEnded) relay.ClientEnded();
            relay.Pump();
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            // The handshake below on the stack would end the session without the cover's channel, which is no longer its own.
            relay.OnFault(error);
        }
    }

    public void OnReady(Channel channel)
    {
        if (_closed) return;
        NoteNews();
        Pump();
    }

    // One that the handshake armed and nobody took back. The cover's timers end a stranger, ours do not.
    public void OnDeadline(Channel channel)
    {
    }

    public void OnShutdown(Channel channel)
    {
        if (_closed) return;
        Cover.Discard();
        Release();
        _session.Close(CloseReason.Shutdown);
    }

    public override void OnFault(Exception error)
    {
        if (!_closed) Release();
        _session.Fault(error);
    }

    public void Evict() => Leave(CloseReason.CoverLimit);

    protected override void Run() => Pump();

    // Any news may unblock any direction: what is pending goes first, then each source is tried.
    private void Pump()
    {
        if (_closed) return;
        if (Client.Failed)
        {
            ClientReset();
            return;
        }

        if (_down.IsPending) FlushToClient();
        if (_up.IsPending) FlushToCover();
        for (var reads = 0; reads < ReadsPerTurn && MayReadClient; reads++) ReadClient();
        for (var reads = 0; reads < ReadsPerTurn && MayReadCover; reads++) ReadCover();
        if (Cover.Failed && _down.HasEnded && !_down.IsPending) CoverGone();
        if (MayReadClient || MayReadCover) Schedule(Client.Loop);
        else if (CanReadClient || CanReadCover) ScheduleWithRoom(Client.Loop);
    }

    // Not at every pump: while memory is tight, those that take nothing are looked at again and again.
    private void NoteNews()
    {
        _place.Touch();
        _lastNewsMs = Client.Loop.NowMs;
    }

    private void ReadClient()
    {
        using var scratch = Client.Loop.Scratch.Borrow();
        switch (Client.Read(Client.Loop.Memory.Cut(scratch.Bytes), out var count))
        {
            case IoStatus.Ok:
                NoteNews();
                _session.CountReceived(count);
                SendToCover(scratch.Bytes[..count]);
                break;
            case IoStatus.Eof:
                ClientEnded();
                break;
            case IoStatus.Reset:
                ClientReset();
                break;
        }
    }

    private void ReadCover()
    {
        using var scratch = Client.Loop.Scratch.Borrow();
        switch (Cover.Read(Client.Loop.Memory.Cut(scratch.Bytes), out var count))
        {
            case IoStatus.Ok:
                // the cover has answered: the connection is the cover's, and its address may have as many as a site grants
                _session.LeaveAddress();
                SendToClient(scratch.Bytes[..count]);
                break;
            case IoStatus.Eof when !Cover.Failed: // a reset that a write has been told of reads as an end
                CoverEnded();
                break;
            case IoStatus.Eof or IoStatus.Reset:
                CoverReset();
                break;
        }
    }

    private void SendToCover(ReadOnlySpan<byte> bytes)
    {
        _saidAfterCoverEnd |= _down.HasEnded;
        if (_up.Send(bytes, out _) == IoStatus.Reset) CoverIsDeaf();
    }

    private void SendToClient(ReadOnlySpan<byte> bytes)
    {
        var status = _down.Send(bytes, out var written);
        _session.CountSent(written);
        if (status == IoStatus.Reset) ClientReset();
    }

    private void FlushToCover()
    {
        if (_up.Flush(out _) == IoStatus.Reset)
        {
            CoverIsDeaf();
            return;
        }

        if (_up.IsPending || !_up.HasEnded) return;
        Cover.ShutdownWrite();
        CloseIfOver();
    }

    private void FlushToClient()
    {
        var status = _down.Flush(out var written);
        _session.CountSent(written);
        if (status == IoStatus.Reset)
        {
            ClientReset();
            return;
        }

        if (_down.IsPending || !_down.HasEnded) return;
        Client.ShutdownWrite();
        CloseIfOver();
    }

    private void ClientEnded()
    {
        _firstEnd ??= CloseReason.ClientClosed;
        PassEndOn(ref _up);
    }

    private void CoverEnded()
    {
        _firstEnd ??= CloseReason.CoverClosed;
        PassEndOn(ref _down);
    }

    private void PassEndOn(ref Pipe pipe)
    {
        pipe.HasEnded = true;
        if (pipe.IsPending) return;
        pipe.Sink.ShutdownWrite();
        CloseIfOver();
    }

    private void CloseIfOver()
    {
        if (_closed || !_up.HasEnded || !_down.HasEnded || _up.IsPending || _down.IsPending) return;
        Release();
        _session.Close(_firstEnd!.Value);
    }

    // What it sent before the reset is still there to be read, and a client of its own would read it.
    private void CoverIsDeaf()
    {
        _isCoverDeaf = true;
        _up.Drop();
    }

    private void ClientReset()
    {
        if (_closed) return;
        Cover.Abort();
        Finish(CloseReason.ClientReset);
    }

    private void CoverReset()
    {
        if (_closed) return;
        Client.Abort();
        Finish(CloseReason.CoverReset);
    }

    // After its FIN the cover's system forgets the connection after a while. Bytes sent there come back as RST,
    // to our client as to any; keepalive's question does too, but no client of the cover's would hear of that.
    private void CoverGone()
    {
        if (_closed) return;
        if (_saidAfterCoverEnd) Client.Abort();
        Finish(CloseReason.CoverReset);
    }

    // The first reason wins: a reset after FIN is only its echo.
    private void Finish(CloseReason reason)
    {
        Release();
        _session.Close(_firstEnd ?? reason);
    }

    // In order, unless that would leave with the kernel what has to be given back.
    private void Leave(CloseReason reason)
    {
        if (_closed) return;
        Cover.Discard();
        Release();
        if (_up.HasEnded || _session.WouldKeepMemory(reason)) _session.Close(reason);
        else LingeringClose.Fin(_session, reason);
    }

    private void Release()
    {
        _closed = true;
        _place.Leave();
        Cover.Close();
        _up.Drop();
        _down.Drop();
    }
}
