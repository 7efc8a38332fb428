using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Framing;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// Telegram to client: each answer is framed, encrypted,
/// put into records and written; what a slow client does not take is queued.
/// </summary>
internal sealed partial class MiddleRelay
{
    // Over its limit, a client that takes nothing for this long is let go;
    // so is one that was over it for so long in all, since nothing waited.
    private const int NoProgressMs = 1000, MostOverLimitMs = 5000;

    // How often is looked how far the client has got while anything is on its way, and while it is over its limit.
    private const int LookMs = 5000, LookOverLimitMs = 250;

    private AesCtr _toClient;
    private RecordRamp _ramp;
    private OutputQueue? _queue;
    private PeerProgress _progress;
    private long _nextLookMs = long.MaxValue;

    /// <summary>Bytes queued for this client. Its link, while it has one, counts exactly these.</summary>
    public long OwedBytes => _queue?.Bytes ?? 0;

    /// <summary>Packets queued for this client, counted like <see cref="OwedBytes"/>.</summary>
    public int OwedPackets => _queue?.Packets ?? 0;

    // Telegram's answer to broken or replayed data: -404.
    private static ReadOnlySpan<byte> ServerError => [0x6c, 0xfe, 0xff, 0xff];

    /// <summary>A packet for the client.</summary>
    public Delivery Deliver(ReadOnlySpan<byte> packet)
    {
        if (IsFiltered(packet)) return Delivery.Done;
        CountPacket(isClients: false);
        _session.Context.Metrics.PacketFromTelegram(packet.Length);
        Span<byte> header = stackalloc byte[FrameCodec.LongestHeader];
        Span<byte> random = stackalloc byte[1 + FrameCodec.Alignment];
        var padding = 0;
        if (Transport == Transport.Padded)
        {
            _session.Context.Random.Fill(random);
            padding = FrameCodec.PaddingToClient(Transport, random[0]);
        }

        var length = FrameCodec.WriteHeader(Transport, header, packet.Length, padding, quickAck: false);
        var delivery = Send(header[..length], packet, random.Slice(1, padding));
        if (IsLeaving) ArmDeadline();
        return delivery;
    }

    /// <summary>Telegram has got a packet for which the client asked to be told so.</summary>
    public Delivery Acknowledge(ReadOnlySpan<byte> confirm)
    {
        Span<byte> token = stackalloc byte[QuickAckToken.Length];
        _lastPacketMs = Loop.NowMs; // no answer yet
        QuickAckToken.Write(Transport, confirm, token);
        return Send(token, default, default);
    }

    // Filtered errors are no activity: the idle limit still ends a client that only gets those.
    private bool IsFiltered(ReadOnlySpan<byte> packet)
    {
        var filter = _pool.Services.Settings.ServerErrorFilter;
        var isLookedAt = filter == ServerErrorFilter.On || (filter == ServerErrorFilter.First && (_state & State.Answered) == 0);
        _state |= State.Answered;
        if (!isLookedAt || !packet.SequenceEqual(ServerError)) return false;
        _session.Context.Metrics.ServerErrorFiltered(_session.Listener.Name);
        return true;
    }

    private Delivery Send(ReadOnlySpan<byte> header, ReadOnlySpan<byte> packet, ReadOnlySpan<byte> padding)
    {
        if (IsClosed) return Delivery.Done;
        _lastActivityMs = Loop.NowMs;
        using var scratch = Loop.Scratch.Borrow();
        var area = scratch.Bytes;
        var (queuedBefore, left) = (_queue?.Bytes ?? 0, header.Length + packet.Length + padding.Length);
        while (left > 0)
        {
            var used = 0;
            do
            {
                var head = _isTls ? TlsRecordWriter.HeaderLength : 0;
                var length = Math.Min(left, _isTls ? _ramp.Next((int)(Loop.NowMs / 1000)) : area.Length);
                if (used + head + length > area.Length) break;
                if (_isTls) TlsRecordWriter.WriteHeader(area[used..], length);
                var payload = area.Slice(used + head, length);
                Encrypt(ref header, ref payload);
                Encrypt(ref packet, ref payload);
                Encrypt(ref padding, ref payload);
                used += head + length;
                left -= length;
                _ramp.Sent();
            }
            while (left > 0);

            if (!Write(area[..used])) return Delivery.Gone;
        }

        if (_queue is null) return Delivery.Done;
        _queue.EndPacket();
        NoteLimit();
        return new Delivery(IsGone: false, _queue.Bytes - queuedBefore);
    }

    private void Encrypt(ref ReadOnlySpan<byte> from, ref Span<byte> to)
    {
        var length = Math.Min(from.Length, to.Length);
        if (length == 0) return;
        _toClient.Transform(from[..length], to[..length]);
        from = from[length..];
        to = to[length..];
    }

    // False: the client is gone.
    private bool Write(ReadOnlySpan<byte> bytes)
    {
        var written = 0;
        if (_queue is null && MaySend && _client.Write(bytes[..Math.Min(bytes.Length, AtOnce)], out written) == IoStatus.Reset)
            return false;
        _session.CountSent(written);
        _progress.Wrote(written);
        if (!_progress.IsWatched) Watch();
        if (written == bytes.Length) return true;
        _queue ??= _pool.Services.OutputQueues.Rent();
        _queue.Append(Loop.Buffers, bytes[written..]);
        AwaitTurn();
        return true;
    }

    // What its user's rate holds back is not the client's doing.
    private bool WaitsForClient => _queue is not null && _session.Limits is not { HoldsBack: true };

    private bool MaySend => _session.MaySend(this);

    private int AtOnce => _session.Limits?.AtOnceDown ?? int.MaxValue;

    private void FlushToClient()
    {
        if (!MaySend) return;
        var status = _queue!.Flush(_client, Loop.Buffers, AtOnce, out var written, out var packets);
        _session.CountSent(written);
        _progress.Wrote(written);
        _link?.Pay(written, packets);
        if (status == IoStatus.Reset)
        {
            Close(CloseReason.ClientReset);
            return;
        }

        if (written > 0) _lastActivityMs = Loop.NowMs;
        if (!ExceedsLimit) _queue.OverLimit.Set(false, Loop.NowMs);
        if (!_queue.IsEmpty) return;
        DropQueue();
        if ((_state & State.Ending) != 0) Close(CloseReason.DcClosed);
        else if (IsLeaving) ArmDeadline();
    }

    private bool ExceedsLimit
    {
        get
        {
            var health = _pool.Services.Settings.Health;
            return OwedPackets > health.ClientQueuePackets || OwedBytes > health.ClientQueueBytes;
        }
    }

    // From now on a second counts, and only what the client takes in it.
    private void NoteLimit()
    {
        // What waits for its user's rate is bounded by the link alone.
        if (IsOverLimit || !ExceedsLimit || _session.Limits is { HoldsBack: true }) return;
        var now = Loop.NowMs;
        _queue!.OverLimit.Set(true, now);
        _progress.Look(_client, isPending: true, now);
        _progress.Watch(now);
        _nextLookMs = now + LookOverLimitMs;
        ArmDeadline();
    }

    // What was sent last may be on its way to a client that is gone, of which no event tells for a quarter of an hour.
    private void Watch()
    {
        _progress.Watch(Loop.NowMs);
        _nextLookMs = NextLookMs;
        ArmDeadline();
    }

    // How long it has taken nothing of what is on its way.
    private long LookHowFarItIs()
    {
        if (!_progress.IsWatched) return 0;
        var silentMs = _progress.Look(_client, WaitsForClient, Loop.NowMs);
        _nextLookMs = _progress.IsWatched ? NextLookMs : long.MaxValue;
        return silentMs;
    }

    private long NextLookMs =>
        Loop.NowMs + (IsOverLimit ? LookOverLimitMs : Math.Min(LookMs, (long)_session.Context.Timeouts.ClientWrite.TotalMilliseconds / 4));

    private void DropQueue()
    {
        _queue!.Drop(Loop.Buffers);
        _pool.Services.OutputQueues.Return(_queue);
        _queue = null;
    }
}
