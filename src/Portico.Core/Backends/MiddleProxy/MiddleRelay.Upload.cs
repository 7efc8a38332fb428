using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Framing;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>Client to Telegram: strip records, decrypt, cut packets, queue each on the link.</summary>
internal sealed partial class MiddleRelay
{
    private const int ReadsPerTurn = 4;

    // Memory grows with what came and never with what was announced: room for as much again as there is, and for this at least.
    private const int LeastRoom = 4000;

    // Decrypted bytes that are not a whole packet yet, or that the link had no room for.
    private ByteStore _held;
    private AesCtr _fromClient;
    private TlsRecordReader _records;
    private int _missing;
    private long _lastHeldMs;

    /// <summary>The link takes packets again.</summary>
    public void OnRoom(MiddleProxyConnection link)
    {
        if (!ReferenceEquals(link, _link)) return;
        _state &= ~State.Blocked;
        _lastHeldMs = Loop.NowMs;
        Enqueue();
    }

    private bool CanSend => (_state & (State.Closed | State.Blocked | State.Orphan | State.Ending | State.Leaving)) == 0;

    // The beginning of a packet is here, and nothing of ours keeps the rest away.
    private bool AwaitsRest => CanSend && _missing > 0 && !_held.IsEmpty;

    private bool MayReceive => _session.MayReceive(this);

    // By its user's limits, of which no event tells that they let more through.
    private bool IsDownHeldBack => _session.Limits is not null && _queue is not null && _client.CanWrite;

    private void AwaitTurn()
    {
        if (IsDownHeldBack) _session.AwaitSending(this);
        if (_session.Limits is not null && CanRead && !MayReceive) _session.AwaitReceiving(this);
    }

    private bool CanRead => CanSend && _client.CanRead;

    // True when there may be more to read: come back after the others had their turn.
    private bool ReadClient()
    {
        if (CanSend && !_held.IsEmpty && _missing == 0 && !TakeHeld()) return false;
        for (var reads = 0; reads < ReadsPerTurn && CanRead && MayReceive; reads++)
        {
            if (!(_held.IsEmpty ? ReadThroughScratch() : ReadIntoHeld())) return false;
        }

        return CanRead && MayReceive;
    }

    // The usual case: whole packets in one read, and nothing is kept.
    private bool ReadThroughScratch()
    {
        using var scratch = Loop.Scratch.Borrow();
        var area = _session.Limits is { } limits ? limits.CutUp(scratch.Bytes) : scratch.Bytes;
        var status = _client.Read(area, out var count);
        if (status != IoStatus.Ok) return Ended(status);
        var bytes = Decode(area[..count], out var end);
        var taken = TakePackets(bytes);
        if (IsClosed) return false;
        if (taken < bytes.Length) Hold(bytes[taken..]);
        return GoesOn(end);
    }

    // A packet is under way: its rest is read to where its beginning is.
    private bool ReadIntoHeld()
    {
        var room = _held.Room(Loop.Buffers, RoomFor(_missing));
        _pool.Backend.OnHeld();
        var status = _client.Read(room, out var count);
        if (status != IoStatus.Ok) return Ended(status);
        var bytes = Decode(room[..count], out var end);
        bytes.CopyTo(room); // closes up to what is held: headers of records were in between
        _held.Add(bytes.Length);
        _lastHeldMs = Loop.NowMs;
        return (_held.IsEmpty || TakeHeld()) && GoesOn(end);
    }

    private Span<byte> Decode(Span<byte> bytes, out TlsRecordEnd end)
    {
        _session.CountReceived(bytes.Length);
        _lastActivityMs = Loop.NowMs;
        end = TlsRecordEnd.None;
        if (_isTls) bytes = _records.Unwrap(bytes, out end);
        _fromClient.Transform(bytes);
        return bytes;
    }

    private bool TakeHeld()
    {
        var taken = TakePackets(_held.Bytes);
        if (IsClosed) return false;
        _held.Take(Loop.Buffers, taken);
        return true;
    }

    // What is behind a bad packet, or for a link without room, stays.
    private int TakePackets(ReadOnlySpan<byte> bytes)
    {
        var taken = 0;
        _missing = 0;
        while (taken < bytes.Length)
        {
            if (_link!.IsCongested)
            {
                _state |= State.Blocked;
                _link.AwaitRoom(this);
                break;
            }

            var status = FrameCodec.TryRead(Transport, bytes[taken..], out var frame, out var error);
            if (status == FrameStatus.Invalid)
            {
                Refuse(error);
                break;
            }

            if (status == FrameStatus.NeedMoreData)
            {
                _missing = Math.Max(1, frame.Consumed - (bytes.Length - taken));
                break;
            }

            _link.SendRequest(this, bytes.Slice(taken + frame.PayloadOffset, frame.PayloadLength), frame.QuickAck);
            CountPacket(isClients: true);
            _state |= State.Introduced;
            _session.Context.Metrics.PacketFromClient(frame.PayloadLength);
            taken += frame.Consumed;
        }

        return taken;
    }

    private void Hold(ReadOnlySpan<byte> bytes)
    {
        _held.Append(Loop.Buffers, bytes);
        _lastHeldMs = Loop.NowMs;
        _pool.Backend.OnHeld();
        if (AwaitsRest && (_state & State.HalfPacketTimed) == 0) ArmDeadline();
    }

    // Clients' records add five bytes in about 2900: the read that ends a packet should have room for those too.
    private int RoomFor(int missing) => Math.Min(missing + (missing / 256) + 64, Math.Max(LeastRoom, _held.Length));

    private bool Ended(IoStatus status)
    {
        if (_held.IsEmpty) _held.Drop(Loop.Buffers);
        if (status == IoStatus.Eof) OnFinished();
        else if (status == IoStatus.Reset) Close(CloseReason.ClientReset);
        return false;
    }

    // Half-close, as in direct mode: the answers that are due are delivered.
    private void OnFinished()
    {
        if (!IsAsking && _queue is null)
        {
            Close(CloseReason.ClientClosed);
            return;
        }

        _held.Drop(Loop.Buffers);
        _missing = 0;
        _state |= State.Leaving;
        _waitsSinceMs = Loop.NowMs;
        ArmDeadline();
    }

    private bool GoesOn(TlsRecordEnd end)
    {
        if (end == TlsRecordEnd.None) return true;
        var isBetweenRecords = _queue is null;
        Release(tellTelegram: true);
        if (end == TlsRecordEnd.Alert) LingeringClose.Fin(_session, CloseReason.ClientClosed);
        else LingeringClose.Reject(_session, CloseReason.TlsBadRecord, isBetweenRecords);
        return false;
    }

    // A packet that no client of ours sends costs this client its connection, and the others on the link nothing.
    private void Refuse(ProtocolError error)
    {
        var reason = CloseReasons.Of(error);
        _session.CountProtocolError(reason);
        Close(reason);
    }
}
