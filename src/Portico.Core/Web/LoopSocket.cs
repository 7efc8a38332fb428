using System.Buffers;
using System.Buffers.Binary;
using Portico.Core.Net;
using Portico.Protocol.WebProxy;
using Portico.Protocol.WebSockets;

namespace Portico.Core.Web;

/// <summary>
/// A WebSocket (RFC 6455) that its session's loop reads and writes itself, once the web server has answered its handshake: a message each
/// way is a batch. Nobody waits in it and nothing is rented while it is silent.
/// </summary>
internal sealed partial class LoopSocket : LoopTask, IChannelOwner, ISocketPort
{
    /// <summary>A ping after so long without a byte, and so long for any.</summary>
    public const int QuietMs = 25_000;

    // For bytes that nobody takes; for the app to hear why, and say so.
    private const int WriteMs = 30_000, CloseMs = 5_000;

    private readonly WebSession _session;
    private readonly SocketCarrier _carrier;
    private readonly OpenSockets _sockets;
    private Channel _channel = null!;
    private ByteStore _arrived;
    private ByteStore _answers;
    private WebBatch? _batch;
    private int _header;
    private int _sent;
    private long _heardMs;
    private long _movedMs;
    private bool _isHeld;
    private bool _isDeaf;
    private bool _isUnderWay;
    private long _askedMs;
    private bool _hasSaidGoodbye;
    private bool _hasHeardGoodbye;

    private LoopSocket(WebSession session, SocketCarrier carrier, OpenSockets sockets)
    {
        (_session, _carrier, _sockets) = (session, carrier, sockets);
        _heardMs = _movedMs = session.Loop.NowMs;
    }

    private EventLoop Loop => _session.Loop;

    // What a channel has taken is on its way only when it takes more.
    private bool IsSending => _batch is not null || !_answers.IsEmpty || !_channel.CanWrite;

    /// <summary>On the session's loop: takes a connection over.</summary>
    /// <param name="session">Whose frames it carries.</param>
    /// <param name="carrier">Of this socket.</param>
    /// <param name="sockets">Counts it.</param>
    /// <param name="connect">Gives the connection its owner.</param>
    /// <param name="early">What the app has sent already.</param>
    public static void Begin(
        WebSession session, SocketCarrier carrier, OpenSockets sockets, Func<IChannelOwner, Channel?> connect, ReadOnlySpan<byte> early)
    {
        var socket = new LoopSocket(session, carrier, sockets);
        if (connect(socket) is not { } channel)
        {
            carrier.Close();
            return;
        }

        socket._channel = channel;
        channel.Slim();
        sockets.Enter();
        if (!early.IsEmpty) socket._arrived.Append(session.Loop.Buffers, early);
        carrier.Port = socket;
        channel.SetDeadline(session.Loop.NowMs + QuietMs);
        if (session.Ended is not null) socket.OnOver();
        else socket.Schedule(session.Loop);
    }

    public bool CanPass =>
        _channel.WritesPieces && !_channel.IsClosed && _channel.CanWrite
        && _batch is null && _answers.IsEmpty && !_isUnderWay && !_hasSaidGoodbye;

    public void OnReady(Channel channel) => Move();

    public void OnReady() => Send();

    public void OnRoom()
    {
        if (!_isHeld) return;
        _mayHaveRoom = true;
        Schedule(Loop);
    }

    public void OnOver() => Close(WebEnds.FarewellOf(_session.Ended));

    public void OnDeadline(Channel channel)
    {
        var now = Loop.NowMs;
        var isStuck = IsSending && now - _movedMs >= WriteMs;
        // What is held here keeps pongs from being read.
        var isSilent = !_isHeld && now - _heardMs >= QuietMs;
        if (_hasSaidGoodbye || isStuck || (isSilent && _askedMs != 0 && now - _askedMs >= QuietMs))
        {
            Lose();
            return;
        }

        if (AwaitsRest && now - _begunMs >= _carrier.MessageMs)
        {
            Close(WebSocketFarewell.PolicyViolation);
            return;
        }

        if (isSilent && _askedMs == 0)
        {
            _askedMs = now;
            Answer(WebSocketOpcode.Ping, []);
        }

        if (!channel.IsClosed && !_hasSaidGoodbye) SetDeadline();
    }

    public void OnShutdown(Channel channel) => Lose(isEof: true);

    public override void OnFault(Exception error)
    {
        _session.OnFault(error);
        Lose();
    }

    public void Pass(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        Span<byte> head = stackalloc byte[WebSocketFrameHeader.MaxServerLength + WebFrameHeader.Length];
        var length = WebSocketFrameHeader.WriteServer(head, WebSocketOpcode.Binary, header.Length + payload.Length);
        header.CopyTo(head[length..]);
        head = head[..(length + header.Length)];
        // What it says of its end is heard in a turn of its own.
        if (_channel.Write(head, payload, out var written) == IoStatus.Reset) Schedule(Loop);
        if (written > 0) _movedMs = Loop.NowMs;
        if (written < head.Length + payload.Length) Keep(head, payload, written);
        else if (_channel.CanWrite) _carrier.NoteSent();
        else _isUnderWay = true;
    }

    // A turn of its own: more to read than one turn is for, room for what was held, or a connection that failed.
    protected override void Run() => Move();

    private void Move()
    {
        if (_channel.IsClosed) return;
        // What it brought before is read to its end, unless that has to wait.
        if (_channel.Failed && (_isHeld || !_channel.CanRead))
        {
            Lose();
            return;
        }

        Receive();
        Send();
    }

    private void SetDeadline()
    {
        var next = (_isHeld ? Loop.NowMs : Math.Max(_heardMs, _askedMs)) + QuietMs;
        if (IsSending) next = Math.Min(next, _movedMs + WriteMs);
        if (AwaitsRest) next = Math.Min(next, _begunMs + _carrier.MessageMs);
        _channel.SetDeadline(next);
    }

    private void Send()
    {
        while (!_channel.IsClosed && _channel.CanWrite)
        {
            if (_isUnderWay)
            {
                _isUnderWay = false;
                _carrier.NoteSent();
            }

            if (_batch is null && !_answers.IsEmpty && !TrySendAnswers()) return;
            if (_batch is null && !_hasSaidGoodbye) TakeBatch();
            if (_batch is not { } batch)
            {
                if (_hasSaidGoodbye && _answers.IsEmpty && _channel.CanWrite) FinishGoodbye();
                return;
            }

            var rest = batch.With(_header)[_sent..];
            if (!TryWrite(rest, out var written)) return;
            _sent += written;
            if (written < rest.Length) return;
            batch.Release();
            _batch = null;
            _isUnderWay = true;
        }
    }

    private void Keep(ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload, int written)
    {
        var length = head.Length + payload.Length - written;
        var rented = ArrayPool<byte>.Shared.Rent(length);
        var ofHead = head[Math.Min(written, head.Length)..];
        ofHead.CopyTo(rented);
        payload[Math.Max(written - head.Length, 0)..].CopyTo(rented.AsSpan(ofHead.Length));
        (_batch, _header, _sent) = (new WebBatch(rented, 0, length), 0, 0);
    }

    // Ours has been sent. Having heard the other one, or nobody knows what, there is nothing to wait for.
    private void FinishGoodbye()
    {
        if (_hasHeardGoodbye) Lose(isEof: true);
        else if (_isDeaf) _channel.ShutdownWrite();
    }

    private void TakeBatch()
    {
        _carrier.Want();
        _batch = _carrier.Take(WebSocketFrameHeader.MaxServerLength);
        if (_batch is null)
        {
            if (_carrier.IsDone) Close(WebEnds.FarewellOf(_session.Ended));
            return;
        }

        _header = WebSocketFrameHeader.ServerLength(_batch.Bytes.Length);
        _sent = 0;
        WebSocketFrameHeader.WriteServer(_batch.With(_header), WebSocketOpcode.Binary, _batch.Bytes.Length);
    }

    // Between messages only.
    private bool TrySendAnswers()
    {
        if (!TryWrite(_answers.Bytes, out var written)) return false;
        _answers.Take(Loop.Buffers, written);
        return _answers.IsEmpty;
    }

    private bool TryWrite(ReadOnlySpan<byte> bytes, out int written)
    {
        var status = _channel.Write(bytes, out written);
        if (status == IoStatus.Reset) Lose();
        if (written > 0) _movedMs = Loop.NowMs;
        return status == IoStatus.Ok;
    }

    private void Answer(WebSocketOpcode opcode, ReadOnlySpan<byte> payload)
    {
        Span<byte> frame = stackalloc byte[WebSocketFrameHeader.MaxServerLength + WebSocketFrameHeader.MaxControlPayload];
        var header = WebSocketFrameHeader.WriteServer(frame, opcode, payload.Length);
        payload.CopyTo(frame[header..]);
        // Not every question needs an answer of its own (section 5.5.3).
        if (opcode == WebSocketOpcode.Pong && _answers.Length > frame.Length) return;
        if (!IsSending) _movedMs = Loop.NowMs;
        _answers.Append(Loop.Buffers, frame[..(header + payload.Length)]);
        // Pongs go when everything that came was read: of many the first few.
        if (opcode != WebSocketOpcode.Pong) Send();
    }

    // Nothing more is carried. The app hears why, and has a while to say that it has.
    private void Close(WebSocketFarewell farewell)
    {
        if (_hasSaidGoodbye) return;
        _hasSaidGoodbye = true;
        _isHeld = false;
        _message.Drop(Loop.Buffers);
        _carrier.Close();
        if (_channel.IsClosed) return;
        Span<byte> code = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(code, (ushort)farewell);
        _channel.SetDeadline(Loop.NowMs + CloseMs);
        Answer(WebSocketOpcode.Close, code);
        // What it still sends is read, or it would be cut off before it heard.
        if (!_channel.IsClosed) Schedule(Loop);
    }

    private void Lose(bool isEof = false)
    {
        if (_channel.IsClosed) return;
        if (isEof && !IsSending) _channel.Close();
        else _channel.Abort();
        _sockets.Leave();
        Drop();
        if (_hasSaidGoodbye) return;
        _hasSaidGoodbye = true;
        _carrier.Close();
    }

    private void Drop()
    {
        _isHeld = false;
        _arrived.Drop(Loop.Buffers);
        _message.Drop(Loop.Buffers);
        _answers.Drop(Loop.Buffers);
        _batch?.Release();
        _batch = null;
    }
}
