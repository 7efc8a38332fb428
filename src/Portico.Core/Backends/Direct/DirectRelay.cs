using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;

namespace Portico.Core.Backends.Direct;

/// <summary>
/// Step 6 in direct mode: two pumps between a client and its DC, as methods that the loop calls. Holds no buffer while nothing is pending.
/// Telegram's bytes are passed through without cipher work, because the DC was given the client's own key (spec/04 section 5).
/// </summary>
internal sealed class DirectRelay : IRelay, IChannelOwner, ILoopTask
{
    // Per event and direction: 4 x 64 KB, then the other sessions of the loop have their turn.
    private const int ReadsPerTurn = 4;

    // After one side has finished, this long without a byte from the other is taken for its end.
    private const int FarewellSeconds = 10;

    private readonly Session _session;
    private readonly Channel _client;
    private readonly Channel _dc;
    private readonly DcCounters _dcCounters;
    private readonly bool _isTls;
    private AesCtr _fromClient;
    private AesCtr _toDc;
    private DownloadCipher? _download;
    private TlsRecordReader _records;
    private RecordRamp _ramp;
    private Pending _forDc;
    private Pending _forClient;
    private int _lastActivitySeconds;
    private int _lastClientWriteSeconds;
    private End _ends;
    private CloseReason _reason;
    private bool _closed;
    private bool _queued;
    private bool _isGoodbye;

    private DirectRelay(HandshakeState handshake, Channel dc, DcCounters dcCounters)
    {
        var client = handshake.Result;
        _session = handshake.Session;
        _client = _session.Client;
        _dc = dc;
        _dcCounters = dcCounters;
        _isTls = client.IsTls;
        _records = client.Records;
        _ramp = handshake.Session.Context.NewRamp();
        _fromClient = client.Streams.ClientToServer;
    }

    [Flags]
    private enum End : byte
    {
        None = 0,

        /// <summary>The client sends no more.</summary>
        Client = 1,

        /// <summary>The DC sends no more.</summary>
        Dc = 2,
    }

    private EventLoop Loop => _client.Loop;

    private int NowSeconds => (int)(Loop.NowMs / 1000);

    /// <summary>Makes the relay with our header to the DC, and what the client sent early, as its first output.</summary>
    public static DirectRelay Create(HandshakeState handshake, Channel dc, short dcId, DcCounters counters, bool passThrough)
    {
        var client = handshake.Result;
        var relay = new DirectRelay(handshake, dc, counters);
        var first = relay._forDc.Reserve(handshake.Loop.Buffers, ObfuscatedHeader.Length + client.EarlyLength);
        var header = first[..ObfuscatedHeader.Length];
        do handshake.Session.Context.Random.Fill(header);
        while (ObfuscatedHeader.HasForbiddenStart(header));
        if (passThrough)
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
        _client.Owner = this;
        _dc.Owner = this;
        _session.MarkRelaying();
        _lastActivitySeconds = _lastClientWriteSeconds = NowSeconds;
        ArmDeadline();
        try
        {
            Pump();
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            // The handshake below on the stack would end the session without the DC's channel, which is no longer its own.
            OnFault(error);
        }
    }

    public void OnReady(Channel channel) => Pump();

    public void OnDeadline(Channel channel)
    {
        var timeouts = _session.Context.Timeouts;
        var quiet = NowSeconds - _lastActivitySeconds;
        if (!_forClient.IsEmpty && NowSeconds - _lastClientWriteSeconds > timeouts.ClientWrite.TotalSeconds) Close(CloseReason.ClientWriteTimeout);
        else if (quiet > timeouts.Idle.TotalSeconds) Close(CloseReason.IdleTimeout);
        else if (_ends != End.None && _forClient.IsEmpty && quiet > FarewellSeconds) Close(_reason);
        else ArmDeadline();
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
            Close(CloseReason.ClientReset);
            return;
        }

        if (!_forClient.IsEmpty) FlushToClient();
        if (!_forDc.IsEmpty) FlushToDc();
        for (var reads = 0; reads < ReadsPerTurn && CanReadClient; reads++) ReadClient();
        for (var reads = 0; reads < ReadsPerTurn && CanReadDc; reads++) ReadDc();
        if ((!CanReadClient && !CanReadDc) || _queued) return;
        _queued = true;
        Loop.Enqueue(this);
    }

    private bool CanReadClient => _client.CanRead && _forDc.IsEmpty && (_ends & End.Client) == 0 && !_closed;

    private bool CanReadDc => _dc.CanRead && _forClient.IsEmpty && (_ends & End.Dc) == 0 && !_closed;

    // Client to Telegram: strip the records, undo the client's cipher and apply the DC's in one pass.
    private void ReadClient()
    {
        using var scratch = Loop.Scratch.Borrow();
        var status = _client.Read(scratch.Bytes, out var count);
        if (status == IoStatus.Ok)
        {
            _session.CountReceived(count);
            _lastActivitySeconds = NowSeconds;
            var bytes = scratch.Bytes[..count];
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
        var area = scratch.Bytes;
        var longest = _ramp.Next(NowSeconds);
        var status = _isTls
            ? _dc.ReadWithGaps(WholeRecords(area, longest), TlsRecordWriter.HeaderLength, longest, out var count)
            : _dc.Read(area, out count);
        if (status == IoStatus.Ok)
        {
            _dcCounters.Received += count;
            _lastActivitySeconds = NowSeconds;
            _ramp.Sent(count);
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

    // A long answer would show where our area ends if a read filled it with a part of a record.
    private static Span<byte> WholeRecords(Span<byte> area, int longest)
    {
        var record = TlsRecordWriter.HeaderLength + longest;
        return area[..(Math.Min(area.Length / record, Channel.MostPieces) * record)];
    }

    private Span<byte> Frame(Span<byte> area, int payload, int longest)
    {
        var at = 0;
        while (payload > 0)
        {
            var length = Math.Min(payload, longest);
            TlsRecordWriter.WriteHeader(area[at..], length);
            Recrypt(area.Slice(at + TlsRecordWriter.HeaderLength, length));
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
        if (!_dc.IsSettled)
        {
            _dc.Settle();
            _dc.KeepAlive();
        }

        if (_dc.Write(bytes, out var written) == IoStatus.Reset)
        {
            Close(CloseReason.DcReset);
            return;
        }

        _dcCounters.Sent += written;
        if (written < bytes.Length) bytes[written..].CopyTo(_forDc.Reserve(Loop.Buffers, bytes.Length - written));
    }

    private void SendToClient(ReadOnlySpan<byte> bytes)
    {
        if (_client.Write(bytes, out var written) == IoStatus.Reset)
        {
            Close(CloseReason.ClientReset);
            return;
        }

        _session.CountSent(written);
        if (written == bytes.Length) return;
        bytes[written..].CopyTo(_forClient.Reserve(Loop.Buffers, bytes.Length - written));
        _lastClientWriteSeconds = NowSeconds;
        ArmDeadline();
    }

    private void FlushToDc()
    {
        var status = _forDc.Flush(_dc, Loop.Buffers, out var written);
        _dcCounters.Sent += written;
        if (written > 0) _lastActivitySeconds = NowSeconds;
        if (status == IoStatus.Reset) Close(CloseReason.DcReset);
        else if (_forDc.IsEmpty && (_ends & End.Client) != 0) _dc.ShutdownWrite();
    }

    private void FlushToClient()
    {
        var status = _forClient.Flush(_client, Loop.Buffers, out var written);
        _session.CountSent(written);
        if (written > 0) _lastClientWriteSeconds = _lastActivitySeconds = NowSeconds;
        if (_forClient.IsEmpty && _ends != End.None) ArmDeadline();
        if (status == IoStatus.Reset) Close(CloseReason.ClientReset);
        else if (_forClient.IsEmpty && _ends == (End.Client | End.Dc)) Close(_reason);
        else if (_forClient.IsEmpty && (_ends & End.Dc) != 0) _client.ShutdownWrite();
    }

    private void ClientEnded()
    {
        if (_closed || !NoteEnd(End.Client, CloseReason.ClientClosed)) return;
        if (_forDc.IsEmpty) _dc.ShutdownWrite();
    }

    // The alert stands for a FIN that will come; what is still sent before it must be read, or closing would answer with RST.
    private void ClientSaidGoodbye()
    {
        _isGoodbye = true; // before the end, which may be the second one and close
        ClientEnded();
    }

    private void DcEnded()
    {
        if (!NoteEnd(End.Dc, CloseReason.DcClosed)) return;
        if (_forClient.IsEmpty) _client.ShutdownWrite();
    }

    // Half-close: the other direction goes on until it ends too or the farewell is over. False when that was the second end.
    private bool NoteEnd(End side, CloseReason reason)
    {
        if (_ends == End.None) _reason = reason;
        _ends |= side;
        if (_ends == (End.Client | End.Dc) && _forClient.IsEmpty)
        {
            Close(_reason);
            return false;
        }

        _lastActivitySeconds = NowSeconds;
        ArmDeadline();
        return true;
    }

    // The idle deadline is looked at when it comes due rather than moved with every message. Both times are cut to whole seconds, so one is
    // added: limits are reached up to a second late, never early.
    private void ArmDeadline()
    {
        var timeouts = _session.Context.Timeouts;
        var quiet = _ends == End.None || !_forClient.IsEmpty ? (long)timeouts.Idle.TotalSeconds : FarewellSeconds;
        var due = _lastActivitySeconds + quiet;
        if (!_forClient.IsEmpty) due = Math.Min(due, _lastClientWriteSeconds + (long)timeouts.ClientWrite.TotalSeconds);
        _client.SetDeadline(Math.Max(due, NowSeconds) * 1000 + 1000);
    }

    // A record that no TLS 1.3 peer sends: Telegram hears no more of this client.
    private void RejectRecord()
    {
        if (_closed) return;
        var isBetweenRecords = _forClient.IsEmpty;
        Release();
        LingeringClose.Reject(_session, CloseReason.TlsBadRecord, isBetweenRecords);
    }

    private void Close(CloseReason reason)
    {
        if (_closed) return;
        if (_ends != End.None) reason = _reason; // the first reason wins: a reset after FIN is only its echo
        Release();
        if (_isGoodbye || (reason.Side() == GuiltySide.Telegram && (_ends & End.Client) == 0)) LingeringClose.Fin(_session, reason);
        else _session.Close(reason);
    }

    private void Release()
    {
        _closed = true;
        _dc.Close();
        _forDc.Drop(Loop.Buffers);
        _forClient.Drop(Loop.Buffers);
    }
}
