using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;

namespace Portico.Core.Backends.Direct;

/// <summary>
/// Step 6 in direct mode: two pipes between a client and its DC, as methods that the loop calls. Holds no buffer while nothing is pending.
/// Telegram's bytes are passed through without cipher work, because the DC was given the client's own key (spec/04 section 5).
/// This file: what it relays. How it ends is in a file of its own.
/// </summary>
internal sealed partial class DirectRelay : LoopTask, IRelay, IChannelOwner, IMemoryHolder
{
    // Per event and direction: 4 x 64 KB, then the other sessions of the loop have their turn.
    private const int ReadsPerTurn = 4;

    private readonly Session _session;
    private readonly DirectLimits _limits;
    private readonly DcCounters _dcCounters;
    private readonly bool _isTls;
    private Pipe _up;
    private Pipe _down;
    private AesCtr _fromClient;
    private AesCtr _toDc;
    private DownloadCipher? _download;
    private TlsRecordReader _records;
    private RecordRamp _ramp;
    private long _lastByteMs;
    private long _nextLookMs = long.MaxValue;
    private CloseReason? _firstEnd;
    private bool _isAsking;
    private bool _closed;
    private bool _isGoodbye;

    private DirectRelay(HandshakeState handshake, Channel dc, DcCounters dcCounters, DirectLimits limits)
    {
        var client = handshake.Result;
        _session = handshake.Session;
        _limits = limits;
        _up = new Pipe(_session.Client, dc);
        _down = new Pipe(dc, _session.Client);
        _dcCounters = dcCounters;
        _isTls = client.IsTls;
        _records = client.Records;
        _ramp = _session.Context.NewRamp();
        _fromClient = client.Streams.ClientToServer;
        _isAsking = client.EarlyLength > 0;
    }

    public Session Session => _session;

    private Channel Client => _down.Sink;

    private Channel Dc => _up.Sink;

    private EventLoop Loop => Client.Loop;

    private bool MayReadClient => _up.MayRead && !_closed && _session.MayReceive(this);

    private bool MayReadDc => _down.MayRead && !_closed && _session.MaySend(this);

    // By its user's limits, of which no event tells that they let more through.
    private bool IsDownHeldBack => _down.CanRead && !_session.MaySend(this);

    private bool IsUpHeldBack => _up.CanRead && !_session.MayReceive(this);

    MemoryStanding IMemoryHolder.Standing => MemoryStanding.Client;

    long IMemoryHolder.HeldBytes => _up.HeldBytes + _down.HeldBytes;

    long IMemoryHolder.SinceMs => _lastByteMs;

    long IMemoryHolder.QuietSinceMs => _up.IsPending || _down.IsPending ? long.MaxValue : _lastByteMs;

    long IMemoryHolder.StuckMs(long nowMs) => _down.IsWatched ? _down.Look(nowMs) : 0;

    void IMemoryHolder.LetGo(CloseReason reason) => _session.EndFor(reason);

    /// <summary>Makes the relay with our header to the DC, and what the client sent early, as its first output.</summary>
    public static DirectRelay Create(HandshakeState handshake, Channel dc, short dcId, DcCounters counters, DirectLimits limits)
    {
        var client = handshake.Result;
        var relay = new DirectRelay(handshake, dc, counters, limits);
        var first = relay._up.Reserve(handshake.Loop.Buffers, ObfuscatedHeader.Length + client.EarlyLength);
        var header = first[..ObfuscatedHeader.Length];
        do handshake.Session.Context.Random.Fill(header);
        while (ObfuscatedHeader.HasForbiddenStart(header));
        if (limits.PassThrough)
        {
            ObfuscatedHeader.WriteToDc(header, client.Transport, dcId, client.Streams.ServerToClientKey, out relay._toDc);
        }
        else
        {
            ObfuscatedHeader.WriteToDc(header, client.Transport, dcId, out relay._toDc, out var fromDc);
            relay._download = new DownloadCipher(fromDc, client.Streams.ServerToClient);
        }

        var early = first[ObfuscatedHeader.Length..];
        client.Early.AsSpan(0, client.EarlyLength).CopyTo(early);
        relay._toDc.Transform(early);
        return relay;
    }

    public void Start()
    {
        Client.Owner = this;
        Dc.Owner = this;
        _session.MarkRelaying();
        _dcCounters.Ports++;
        _lastByteMs = Loop.NowMs;
        try
        {
            Watch(ref _up);
            Pump();
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            // The handshake below on the stack would end the session without the DC's channel, which is no longer its own.
            OnFault(error);
        }
    }

    public void OnReady(Channel channel) => Pump();

    protected override void Run() => Pump();

    // Any news may unblock any direction: what is pending goes first, then each source is tried.
    private void Pump()
    {
        if (_closed) return;
        if (Client.Failed)
        {
            Close(CloseReason.ClientReset);
            return;
        }

        if (_down.IsPending) FlushToClient();
        if (_up.IsPending) FlushToDc();
        for (var reads = 0; reads < ReadsPerTurn && MayReadClient; reads++) ReadClient();
        for (var reads = 0; reads < ReadsPerTurn && MayReadDc; reads++) ReadDc();
        if (MayReadClient || MayReadDc) Schedule(Loop);
        else if (!_closed && (IsDownHeldBack || IsUpHeldBack)) AwaitTurn();
        else if (!_closed && (_up.CanRead || _down.CanRead)) ScheduleWithRoom(Loop);
    }

    private void AwaitTurn()
    {
        if (IsDownHeldBack) _session.AwaitSending(this);
        if (IsUpHeldBack) _session.AwaitReceiving(this);
    }

    // Client to Telegram: strip the records, undo the client's cipher and apply the DC's in one pass.
    private void ReadClient()
    {
        using var scratch = Loop.Scratch.Borrow();
        var area = scratch.Bytes;
        if (_session.Limits is { } limits) area = limits.CutUp(area);
        var status = Client.Read(Loop.Memory.Cut(area), out var count);
        if (status == IoStatus.Ok)
        {
            _session.CountReceived(count);
            _lastByteMs = Loop.NowMs;
            var bytes = area[..count];
            var end = TlsRecordEnd.None;
            if (_isTls) bytes = _records.Unwrap(bytes, out end);
            AesCtr.TransformBoth(ref _fromClient, ref _toDc, bytes);
            if (!bytes.IsEmpty) SendToDc(bytes);
            if (end == TlsRecordEnd.Alert) ClientSaidGoodbye();
            else if (end == TlsRecordEnd.BadRecord) RejectRecord();
        }
        else if (status == IoStatus.Eof)
        {
            ClientEnded();
        }
        else if (status == IoStatus.Reset)
        {
            Close(CloseReason.ClientReset);
        }
    }

    // Telegram to client: one scatter read leaves room for the record headers, one write sends the records.
    private void ReadDc()
    {
        using var scratch = Loop.Scratch.Borrow();
        var area = Loop.Memory.Cut(scratch.Bytes);
        if (_session.Limits is { } limits) area = limits.CutDown(area);
        var longest = _ramp.Next((int)(Loop.NowMs / 1000));
        var most = Math.Min(area.Length, Channel.MostPieces * (TlsRecordWriter.HeaderLength + longest));
        var status = _isTls
            ? Dc.ReadWithGaps(area[..most], TlsRecordWriter.HeaderLength, longest, out var count)
            : Dc.Read(area, out count);
        if (status == IoStatus.Ok)
        {
            _dcCounters.Received += count;
            _lastByteMs = Loop.NowMs;
            if (_up.HasEnded) AnswerCameAfterTheEnd();
            else _isAsking = false;
            SendToClient(_isTls ? Frame(area, count, longest) : Recrypt(area[..count]));
        }
        else if (status == IoStatus.Eof)
        {
            DcEnded();
        }
        else if (status == IoStatus.Reset)
        {
            Close(CloseReason.DcReset);
        }
    }

    private Span<byte> Frame(Span<byte> area, int payload, int longest)
    {
        var at = 0;
        while (payload > 0)
        {
            var length = Math.Min(payload, longest);
            TlsRecordWriter.WriteHeader(area[at..], length);
            Recrypt(area.Slice(at + TlsRecordWriter.HeaderLength, length));
            _ramp.Sent();
            at += TlsRecordWriter.HeaderLength + length;
            payload -= length;
        }

        return area[..at];
    }

    private Span<byte> Recrypt(Span<byte> bytes)
    {
        _download?.Transform(bytes);
        return bytes;
    }

    // The first bytes went out with our header: these are the second write.
    private void SendToDc(ReadOnlySpan<byte> bytes)
    {
        if (!Dc.IsSettled) Dc.Settle();
        _isAsking = true;
        var status = _up.Send(bytes, out var written);
        _dcCounters.Sent += written;
        if (status == IoStatus.Reset) Close(CloseReason.DcReset);
        else if (!_up.IsWatched) Watch(ref _up);
    }

    private void SendToClient(ReadOnlySpan<byte> bytes)
    {
        var status = _down.Send(bytes, out var written);
        _session.CountSent(written);
        if (status == IoStatus.Reset) Close(CloseReason.ClientReset);
        else if (!_down.IsWatched) Watch(ref _down);
    }

    private void FlushToDc()
    {
        var status = _up.Flush(out var written);
        _dcCounters.Sent += written;
        if (written > 0) _lastByteMs = Loop.NowMs;
        if (status == IoStatus.Reset) Close(CloseReason.DcReset);
        else if (!_up.IsPending && _up.HasEnded) Dc.ShutdownWrite();
    }

    private void FlushToClient()
    {
        var status = _down.Flush(out var written);
        _session.CountSent(written);
        if (written > 0) _lastByteMs = Loop.NowMs;
        if (status == IoStatus.Reset) Close(CloseReason.ClientReset);
        else if (_down.IsPending || _firstEnd is not { } reason) return;
        else if (_up.HasEnded && _down.HasEnded) Close(reason);
        else if (_down.HasEnded) Client.ShutdownWrite();
        if (!_closed) ArmDeadline();
    }
}
