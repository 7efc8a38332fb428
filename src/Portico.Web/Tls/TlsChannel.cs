using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;

namespace Portico.Web.Tls;

/// <summary>A connection as it is inside TLS: what is read and written here is plain, what the socket below carries are records.</summary>
internal sealed class TlsChannel : Channel, IChannelOwner, ITlsWire, ILoopTask
{
    // So much is encrypted before it is sent with one call; a little more if that is all.
    private const int MostAtOnce = 64 * 1024, LittleMore = 4 * 1024;

    // Of records in one go, which may have no byte for anybody in them; and of answers that a peer asks for and does not read.
    private const int MostRead = 64 * 1024, MostUnsent = 128 * 1024;

    // Of the thread, as a loop does one thing at a time: what has been encrypted and not sent yet.
    [ThreadStatic]
    private static byte[]? _records;

    [ThreadStatic]
    private static int _recordsLength;

    private readonly Channel _socket;
    private ITlsSession _session;
    private ByteStore _early;
    private ByteStore _unsent;
    private IoStatus _end = IoStatus.Ok;
    private int _mayRead;
    private bool _isHeld;
    private bool _isQueued;
    private bool _saidEnd;

    /// <param name="socket">Told of by this one from now on.</param>
    /// <param name="session">Its handshake is done.</param>
    /// <param name="early">Bytes of records that were read with the handshake.</param>
    /// <param name="unsent">Bytes of records that the socket had no room for.</param>
    /// <param name="owner">Whom this channel tells.</param>
    public TlsChannel(Channel socket, TlsSession session, ReadOnlySpan<byte> early, ReadOnlySpan<byte> unsent, IChannelOwner owner)
        : base(socket.Loop, owner)
    {
        _socket = socket;
        _session = session;
        if (!early.IsEmpty) _early.Append(Loop.Buffers, early);
        if (!unsent.IsEmpty) _unsent.Append(Loop.Buffers, unsent);
        socket.Owner = this;
        if (_unsent.IsEmpty && socket.CanWrite) AssumeWritable();
    }

    /// <summary>It goes on without OpenSSL.</summary>
    public bool IsSlim => _session is TlsRecords;

    public override bool WritesPieces => true;

    public override bool CanChangeLoops => _socket.CanChangeLoops && _session is TlsSession;

    /// <summary>Tells the owner, in the next turn, what there is already: what came with the handshake is announced by no event.</summary>
    public void Begin() => Queue();

    public void OnReady(Channel channel) => Tell(_socket.CanRead);

    // A turn of its own: there may be more than one is for.
    public void Run()
    {
        _isQueued = false;
        Tell(isReadable: true);
    }

    public void OnDeadline(Channel channel)
    {
    }

    // This one hears it too.
    public void OnShutdown(Channel channel)
    {
    }

    public void OnFault(Exception error) => Owner.OnFault(error);

    public override SocketError ConnectResult() => _socket.ConnectResult();

    public override IPEndPoint? RemoteAddress() => _socket.RemoteAddress();

    public override IPEndPoint? LocalAddress() => _socket.LocalAddress();

    public override long UnacknowledgedBytes() => _socket.UnacknowledgedBytes();

    // An end that came behind bytes is told once more when these have been read.
    public IoStatus ReadRecords(Span<byte> buffer, out int count)
    {
        count = 0;
        if (_end != IoStatus.Ok) return _end;
        _isHeld = _unsent.Length > MostUnsent;
        if (_isHeld) return IoStatus.WouldBlock;
        if (_mayRead <= 0)
        {
            Queue();
            return IoStatus.WouldBlock;
        }

        if (!_early.IsEmpty)
        {
            count = Math.Min(buffer.Length, _early.Length);
            _early.Bytes[..count].CopyTo(buffer);
            _early.Take(Loop.Buffers, count);
            _mayRead -= count;
            return IoStatus.Ok;
        }

        var status = _socket.Read(buffer, out count);
        _mayRead -= count;
        if (status is IoStatus.Eof or IoStatus.Reset) _end = status;
        return status;
    }

    public Span<byte> RoomForRecords(int length)
    {
        var records = _records ??= new byte[MostAtOnce + (20 * 1024)];
        if (_recordsLength + length > records.Length) SendRecords();
        return records.AsSpan(_recordsLength);
    }

    public void WroteRecords(int length) => _recordsLength += length;

    protected override IoStatus ReadCore(Span<byte> buffer, out int count)
    {
        (_mayRead, _recordsLength) = (MostRead, 0);
        var status = _session.Read(this, buffer, out count);
        SendRecords();
        // Hardly anybody says goodbye before the connection ends.
        if (status == IoStatus.Reset && _end == IoStatus.Eof) status = IoStatus.Eof;
        if (count == 0) return status;
        // No event says so: the owner is to read until it hears it.
        if (status is IoStatus.Eof or IoStatus.Reset) DistrustShortReads();
        return IoStatus.Ok;
    }

    protected override IoStatus ReadWithGapsCore(Span<byte> area, int gap, int stride, out int count)
    {
        count = 0;
        for (var at = gap; at < area.Length; at += stride + gap)
        {
            var piece = area.Slice(at, Math.Min(stride, area.Length - at));
            var status = ReadCore(piece, out var read);
            count += read;
            if (status != IoStatus.Ok) return count > 0 ? IoStatus.Ok : status;
            if (read < piece.Length) break;
        }

        return IoStatus.Ok;
    }

    protected override IoStatus WriteCore(ReadOnlySpan<byte> bytes, out int written) => WriteCore([], bytes, out written);

    protected override IoStatus WriteCore(ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes, out int written)
    {
        written = 0;
        _recordsLength = 0;
        if (!TrySendRest()) return _socket.Failed ? IoStatus.Reset : IoStatus.WouldBlock;
        while (head.Length + bytes.Length > 0)
        {
            var part = bytes.Length <= MostAtOnce + LittleMore ? bytes : bytes[..MostAtOnce];
            var status = _session.Write(this, head, part);
            var isSent = SendRecords();
            if (status != IoStatus.Ok) return status;
            written += head.Length + part.Length;
            if (!isSent) break;
            bytes = bytes[part.Length..];
            head = [];
        }

        return _socket.Failed ? IoStatus.Reset : IoStatus.Ok;
    }

    protected override void ShutdownWriteCore()
    {
        SayEnd();
        _socket.ShutdownWrite();
    }

    protected override void SettleCore() => _socket.Settle();

    protected override void KeepAliveCore() => _socket.KeepAlive();

    protected override void CloseCore(bool abort)
    {
        if (!abort) SayEnd();
        Drop();
        if (abort) _socket.Abort();
        else _socket.Close();
    }

    public override void Slim()
    {
        if (_session is TlsSession session && session.TryBecomeRecords(Loop.Buffers) is { } records)
            _session = records;
    }

    protected override DetachedChannel? DetachCore()
    {
        if (_session is not TlsSession session || _socket.Detach() is not { } socket) return null;
        // Records that were read and not asked for stay with the session.
        var detached = new Detached(socket, session, [.. _early.Bytes], [.. _unsent.Bytes]);
        _early.Drop(Loop.Buffers);
        _unsent.Drop(Loop.Buffers);
        return detached;
    }

    private void Tell(bool isReadable)
    {
        var isWritable = _socket.CanWrite && TrySendRest();
        Raise(isReadable || (isWritable && _isHeld), isWritable, _socket.HungUp, _socket.Failed);
    }

    private void Queue()
    {
        if (_isQueued) return;
        _isQueued = true;
        Loop.Enqueue(this);
    }

    private void SayEnd()
    {
        if (_saidEnd || _end != IoStatus.Ok || _socket.Failed) return;
        _saidEnd = true;
        _recordsLength = 0;
        _session.Shutdown(this);
        SendRecords();
    }

    private void Drop()
    {
        _session.Free();
        _early.Drop(Loop.Buffers);
        _unsent.Drop(Loop.Buffers);
    }

    // False if the socket has not taken everything.
    private bool SendRecords()
    {
        var records = _records.AsSpan(0, _recordsLength);
        _recordsLength = 0;
        if (records.IsEmpty) return true;
        var written = 0;
        if (_unsent.IsEmpty) _socket.Write(records, out written);
        if (written == records.Length) return true;
        _unsent.Append(Loop.Buffers, records[written..]);
        NoRoomToWrite();
        return false;
    }

    private bool TrySendRest()
    {
        if (_unsent.IsEmpty) return true;
        _socket.Write(_unsent.Bytes, out var written);
        _unsent.Take(Loop.Buffers, written);
        return _unsent.IsEmpty;
    }

    private sealed class Detached(DetachedChannel socket, TlsSession session, byte[] early, byte[] unsent) : DetachedChannel
    {
        public override Channel? Attach(EventLoop loop, IChannelOwner owner)
        {
            if (socket.Attach(loop, NullOwner.Instance) is not { } attached)
            {
                session.Free();
                return null;
            }

            var channel = new TlsChannel(attached, session, early, unsent, owner);
            channel.Begin();
            return channel;
        }

        public override bool TryDiscard()
        {
            if (!socket.TryDiscard()) return false;
            session.Free();
            return true;
        }
    }
}
