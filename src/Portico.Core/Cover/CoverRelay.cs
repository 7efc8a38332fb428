using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;

namespace Portico.Core.Cover;

/// <summary>
/// A stranger at the cover: two pumps of raw bytes, as methods that the loop calls. What the cover does to its end of the connection we do to ours: FIN for FIN, RST for
/// RST, and no timer of ours ends it. Holds no buffer while nothing is pending.
/// </summary>
internal sealed class CoverRelay : IChannelOwner, ILoopTask, ICoverGuest
{
    // Per event and direction: 4 x 64 KB, then the other sessions of the loop have their turn.
    private const int ReadsPerTurn = 4;

    private readonly Session _session;
    private readonly Channel _client;
    private readonly Channel _cover;
    private readonly CoverPlace _place;
    private Pending _forCover;
    private Pending _forClient;
    private End _ends;
    private CloseReason _reason;
    private bool _isCoverDeaf;
    private bool _saidAfterCoverEnd;
    private bool _closed;
    private bool _queued;

    private CoverRelay(Session session, CoverConnection connection)
    {
        _session = session;
        _client = session.Client;
        _cover = connection.Channel!;
        _place = connection.Place;
    }

    [Flags]
    private enum End : byte
    {
        None = 0,

        /// <summary>The client sends no more.</summary>
        Client = 1,

        /// <summary>The cover sends no more.</summary>
        Cover = 2,
    }

    private EventLoop Loop => _client.Loop;

    private bool CanReadClient => _client.CanRead && _forCover.IsEmpty && (_ends & End.Client) == 0 && !_isCoverDeaf && !_closed;

    private bool CanReadCover => _cover.CanRead && _forClient.IsEmpty && (_ends & End.Cover) == 0 && !_closed;

    /// <summary>Takes client and cover over from the handshake. First goes what the client has said so far.</summary>
    /// <param name="session">The stranger.</param>
    /// <param name="connection">The way to the cover.</param>
    /// <param name="raw">What the client has said so far.</param>
    /// <param name="hasClientEnded">It has finished sending.</param>
    public static void Start(Session session, CoverConnection connection, ReadOnlySpan<byte> raw, bool hasClientEnded)
    {
        var relay = new CoverRelay(session, connection);
        connection.TakeRest(raw, session.Context.Loop.Buffers, ref relay._forCover);
        relay._client.Owner = relay;
        relay._cover.Owner = relay;
        relay._place.Guest = relay;
        try
        {
            if (hasClientEnded) relay.ClientEnded();
            relay.Pump();
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            // The handshake below on the stack would end the session without the cover's channel, which is no longer its own.
            relay.OnFault(error);
        }
    }

    public void OnReady(Channel channel) => Pump();

    // One that the handshake armed and nobody took back. The cover's timers end a stranger, ours do not.
    public void OnDeadline(Channel channel)
    {
    }

    public void OnShutdown(Channel channel)
    {
        if (_closed) return;
        Release();
        _session.Close(CloseReason.Shutdown);
    }

    public void OnFault(Exception error)
    {
        if (!_closed) Release();
        _session.Fault(error);
    }

    public void Evict()
    {
        if (_closed) return;
        Release();
        if ((_ends & End.Client) != 0) _session.Close(CloseReason.CoverLimit);
        else LingeringClose.Fin(_session, CloseReason.CoverLimit);
    }

    public void Run()
    {
        _queued = false;
        Pump();
    }

    // Any news may unblock any direction: what is pending goes first, then each source is tried.
    private void Pump()
    {
        if (_closed) return;
        if (_client.Failed)
        {
            ClientReset();
            return;
        }

        _place.Touch();
        if (!_forClient.IsEmpty) FlushToClient();
        if (!_forCover.IsEmpty) FlushToCover();
        for (var reads = 0; reads < ReadsPerTurn && CanReadClient; reads++) ReadClient();
        for (var reads = 0; reads < ReadsPerTurn && CanReadCover; reads++) ReadCover();
        if (_cover.Failed && (_ends & End.Cover) != 0 && _forClient.IsEmpty) CoverGone();
        if ((!CanReadClient && !CanReadCover) || _queued) return;
        _queued = true;
        Loop.Enqueue(this);
    }

    private void ReadClient()
    {
        using var scratch = Loop.Scratch.Borrow();
        switch (_client.Read(scratch.Bytes, out var count))
        {
            case IoStatus.Ok:
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
        using var scratch = Loop.Scratch.Borrow();
        switch (_cover.Read(scratch.Bytes, out var count))
        {
            case IoStatus.Ok:
                SendToClient(scratch.Bytes[..count]);
                break;
            case IoStatus.Eof when !_cover.Failed: // a reset that a write has been told of reads as an end
                CoverEnded();
                break;
            case IoStatus.Eof or IoStatus.Reset:
                CoverReset();
                break;
        }
    }

    private void SendToCover(ReadOnlySpan<byte> bytes)
    {
        _saidAfterCoverEnd |= (_ends & End.Cover) != 0;
        if (_cover.Write(bytes, out var written) == IoStatus.Reset) CoverIsDeaf();
        else if (written < bytes.Length) bytes[written..].CopyTo(_forCover.Reserve(Loop.Buffers, bytes.Length - written));
    }

    private void SendToClient(ReadOnlySpan<byte> bytes)
    {
        var status = _client.Write(bytes, out var written);
        _session.CountSent(written);
        if (status == IoStatus.Reset) ClientReset();
        else if (written < bytes.Length) bytes[written..].CopyTo(_forClient.Reserve(Loop.Buffers, bytes.Length - written));
    }

    private void FlushToCover()
    {
        if (_forCover.Flush(_cover, Loop.Buffers, out _) == IoStatus.Reset)
        {
            CoverIsDeaf();
            return;
        }

        if (!_forCover.IsEmpty || (_ends & End.Client) == 0) return;
        _cover.ShutdownWrite();
        CloseIfOver();
    }

    private void FlushToClient()
    {
        var status = _forClient.Flush(_client, Loop.Buffers, out var written);
        _session.CountSent(written);
        if (status == IoStatus.Reset)
        {
            ClientReset();
            return;
        }

        if (!_forClient.IsEmpty || (_ends & End.Cover) == 0) return;
        _client.ShutdownWrite();
        CloseIfOver();
    }

    private void ClientEnded()
    {
        NoteEnd(End.Client, CloseReason.ClientClosed);
        if (!_forCover.IsEmpty) return;
        _cover.ShutdownWrite();
        CloseIfOver();
    }

    private void CoverEnded()
    {
        NoteEnd(End.Cover, CloseReason.CoverClosed);
        if (!_forClient.IsEmpty) return;
        _client.ShutdownWrite();
        CloseIfOver();
    }

    private void NoteEnd(End side, CloseReason reason)
    {
        if (_ends == End.None) _reason = reason;
        _ends |= side;
    }

    private void CloseIfOver()
    {
        if (_closed || _ends != (End.Client | End.Cover) || !_forCover.IsEmpty || !_forClient.IsEmpty) return;
        Release();
        _session.Close(_reason);
    }

    // What it sent before the reset is still there to be read, and a client of its own would read it.
    private void CoverIsDeaf()
    {
        _isCoverDeaf = true;
        _forCover.Drop(Loop.Buffers);
    }

    private void ClientReset()
    {
        if (_closed) return;
        _cover.Abort();
        Finish(CloseReason.ClientReset);
    }

    private void CoverReset()
    {
        if (_closed) return;
        _client.Abort();
        Finish(CloseReason.CoverReset);
    }

    // After its FIN the cover's system forgets the connection after a while. Bytes sent there come back as RST, to our client as to any; keepalive's question does too,
    // but no client of the cover's would hear of that.
    private void CoverGone()
    {
        if (_saidAfterCoverEnd) _client.Abort();
        Finish(CloseReason.CoverReset);
    }

    // The first reason wins: a reset after FIN is only its echo.
    private void Finish(CloseReason reason)
    {
        if (_ends != End.None) reason = _reason;
        Release();
        _session.Close(reason);
    }

    private void Release()
    {
        _closed = true;
        _place.Leave();
        _cover.Close();
        _forCover.Drop(Loop.Buffers);
        _forClient.Drop(Loop.Buffers);
    }
}
