using Portico.Core.Net;

namespace Portico.Web.Tls;

/// <summary>
/// The beginning of a connection with TLS. The loop reads and writes; what is computed, which may be a millisecond for a signature, is
/// computed on a thread of the pool, so that nobody else of the loop waits for it.
/// </summary>
internal sealed class TlsHandshake : IChannelOwner, ITlsWire, IThreadPoolWorkItem
{
    // At a time. A client's part has some two thousand bytes.
    private const int MostBytes = 4096, PatienceMs = 10_000;

    // Of who was refused.
    private const int MostDropped = 256 * 1024, LingerMs = 2000;

    private readonly Channel _socket;
    private readonly TlsSession _session;
    private readonly Action<TlsHandshake> _onDone;
    private readonly Action<Exception> _onFault;
    private byte[] _arrived;
    private int _length;
    private int _read;
    private byte[] _answer = [];
    private int _answerLength;
    private int _answered;
    private IoStatus _status;
    private bool _isComputing;
    private bool _isOver;
    private bool _isRefused;
    private int _dropped;

    private TlsHandshake(Channel socket, TlsSession session, byte[] early, Action<TlsHandshake> onDone, Action<Exception> onFault)
    {
        (_socket, _session, _onDone, _onFault) = (socket, session, onDone, onFault);
        (_arrived, _length) = (early, early.Length);
    }

    private ReadOnlySpan<byte> Unsent => _answer.AsSpan(_answered, _answerLength - _answered);

    /// <summary>What was agreed on.</summary>
    public TlsSession Session => _session;

    /// <summary>Begins, on the socket's loop.</summary>
    /// <param name="socket">Its own until it is done.</param>
    /// <param name="session">New.</param>
    /// <param name="early">What was read of the socket already.</param>
    /// <param name="onDone">Hears, on the loop, when it is done; not of one that fails, whose connection is closed.</param>
    /// <param name="onFault">Hears of an exception of ours.</param>
    public static void Begin(
        Channel socket, TlsSession session, byte[] early, Action<TlsHandshake> onDone, Action<Exception> onFault)
    {
        var handshake = new TlsHandshake(socket, session, early, onDone, onFault);
        socket.Owner = handshake;
        socket.SetDeadline(socket.Loop.NowMs + PatienceMs);
        handshake.Step();
    }

    /// <summary>It is done: the connection as it is inside TLS.</summary>
    /// <param name="owner">Whom it tells from now on.</param>
    public TlsChannel Open(IChannelOwner owner) => new(_socket, _session, _arrived.AsSpan(_read, _length - _read), Unsent, owner);

    public void OnReady(Channel channel)
    {
        if (_isRefused) Drain();
        else Step();
    }

    public void OnDeadline(Channel channel) => Fail();

    public void OnShutdown(Channel channel) => Fail();

    public void OnFault(Exception error)
    {
        _onFault(error);
        Fail();
    }

    public void Execute()
    {
        try
        {
            _status = _session.Handshake(this);
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            _status = IoStatus.Reset;
            _onFault(error);
        }

        _socket.Loop.Post(OnComputed, OnFault);
    }

    public IoStatus ReadRecords(Span<byte> buffer, out int count)
    {
        count = Math.Min(buffer.Length, _length - _read);
        _arrived.AsSpan(_read, count).CopyTo(buffer);
        _read += count;
        return count > 0 ? IoStatus.Ok : IoStatus.WouldBlock;
    }

    // A flight is written in a few pieces.
    public Span<byte> RoomForRecords(int length)
    {
        Array.Resize(ref _answer, _answerLength + length);
        return _answer.AsSpan(_answerLength);
    }

    public void WroteRecords(int length) => _answerLength += length;

    private void Step()
    {
        if (_isComputing || _isOver) return;
        if (!TrySend() || !TryReceive())
        {
            Fail();
            return;
        }

        if (_read == _length) return;
        _isComputing = true;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void OnComputed()
    {
        _isComputing = false;
        if (_isOver)
        {
            _session.Free();
        }
        else if (_status == IoStatus.WouldBlock && TrySend())
        {
            Step();
        }
        else if (_status == IoStatus.Ok && TrySend())
        {
            _socket.ClearDeadline();
            _onDone(this);
            _isOver = true;
        }
        else
        {
            Refuse();
        }
    }

    private bool TrySend()
    {
        if (Unsent.IsEmpty) return true;
        var status = _socket.Write(Unsent, out var written);
        _answered += written;
        if (Unsent.IsEmpty) (_answer, _answerLength, _answered) = ([], 0, 0);
        return status != IoStatus.Reset;
    }

    // No more than can be computed now: an end is read when what came before it is done. False if the peer has gone.
    private bool TryReceive()
    {
        if (_read == _length) _read = _length = 0;
        while (_length == 0 && _socket.CanRead)
        {
            if (_arrived.Length < MostBytes) _arrived = new byte[MostBytes];
            var status = _socket.Read(_arrived, out _length);
            if (status is IoStatus.Eof or IoStatus.Reset) return false;
        }

        return true;
    }

    // It is told why. What it still sends is read for a while, or our end would be a reset.
    private void Refuse()
    {
        TrySend();
        _session.Free();
        _socket.ShutdownWrite();
        _socket.SetDeadline(_socket.Loop.NowMs + LingerMs);
        _isRefused = true;
        Drain();
    }

    private void Drain()
    {
        if (_arrived.Length < MostBytes) _arrived = new byte[MostBytes];
        while (_socket.CanRead)
        {
            var status = _socket.Read(_arrived, out var count);
            _dropped += count;
            if (status is not (IoStatus.Eof or IoStatus.Reset) && _dropped <= MostDropped) continue;
            Fail();
            return;
        }
    }

    private void Fail()
    {
        if (_isOver) return;
        _isOver = true;
        _socket.Close();
        // Somebody may be computing with it.
        if (!_isComputing) _session.Free();
    }
}
