using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net.Sockets;

/// <summary>
/// A TCP socket with readiness made out of asynchronous calls: a zero-byte receive completes when there is something to read; a send of one
/// byte completes when there is room to write. Reads and writes themselves are non-blocking calls.
/// </summary>
#pragma warning disable CA1001 // The argument objects go with the socket: disposing them would race with a callback.
internal sealed class SocketsChannel : Channel
#pragma warning restore CA1001
{
    private const int KeepIdleSeconds = 40, KeepIntervalSeconds = 10;

    private readonly Socket _socket;
    private readonly SocketAsyncEventArgs _receive = new();
    private readonly SocketAsyncEventArgs _send = new();
    private readonly byte[] _oneByte = new byte[1];
    private SocketError _connectResult = SocketError.Success;
    private bool _isReceiving;
    private bool _isSending;
    private bool _shutdownWhenSent;
    private bool _isWriteShut;
    private bool _closeWhenSent;

    public SocketsChannel(SocketsLoop loop, IChannelOwner owner, Socket socket, bool connected)
        : base(loop, owner)
    {
        _socket = socket;
        _receive.SetBuffer(Memory<byte>.Empty);
        _receive.Completed += (_, result) => ((SocketsLoop)Loop).Report(
            new Readiness(this, IsReadable: true, IsWritable: false, result.SocketError != SocketError.Success));
        _send.Completed += (_, result) => ((SocketsLoop)Loop).Report(
            new Readiness(this, IsReadable: false, IsWritable: true, result.SocketError != SocketError.Success));
        if (!connected) return;
        AssumeWritable();
        WaitReadable();
    }

    /// <summary>Sets what every relayed socket is set to. False, with the socket closed, if its peer is gone already.</summary>
    public static bool TrySetUp(Socket socket, out SocketError error)
    {
        try
        {
            error = SocketError.Success;
            socket.Blocking = false;
            // the rest is about packets on a wire
            if (socket.AddressFamily == AddressFamily.Unix) return true;
            socket.NoDelay = true;
            return true;
        }
        catch (SocketException refused)
        {
            error = refused.SocketErrorCode;
            socket.Dispose();
            return false;
        }
    }

    /// <summary>Starts to connect; the end of it is reported as writable, with the result in <see cref="ConnectResult"/>.</summary>
    public void BeginConnect(EndPoint address)
    {
        var connect = new SocketAsyncEventArgs { RemoteEndPoint = address };
        connect.Completed += (_, result) => Connected(result);
        try
        {
            if (!_socket.ConnectAsync(connect)) Connected(connect);
        }
        catch (SocketException refused)
        {
            connect.SocketError = refused.SocketErrorCode;
            Connected(connect);
        }
    }

    public override SocketError ConnectResult() => _connectResult;

    public override IPEndPoint? LocalAddress() => Ask(static socket => socket.LocalEndPoint);

    public override IPEndPoint? RemoteAddress() => Ask(static socket => socket.RemoteEndPoint);

    public override long UnacknowledgedBytes() =>
        OperatingSystem.IsLinux() && !_socket.SafeHandle.IsClosed ? Epoll.SocketOptions.UnacknowledgedBytes((int)_socket.Handle) : -1;

    private IPEndPoint? Ask(Func<Socket, EndPoint?> question)
    {
        try
        {
            var address = (IPEndPoint?)question(_socket);
            return address is { Address.IsIPv4MappedToIPv6: true } ? new IPEndPoint(address.Address.MapToIPv4(), address.Port) : address;
        }
        catch (SocketException)
        {
            return null; // not connected any more
        }
    }

    /// <summary>On the loop: what an operation came to becomes an edge.</summary>
    public void RaiseOnLoop(in Readiness readiness)
    {
        if (readiness.IsReadable) _isReceiving = false;
        if (readiness.IsWritable)
        {
            _isSending = false;
            if (_closeWhenSent) Dispose(abort: false);
            if (_shutdownWhenSent && !IsClosed) ShutdownWriteCore();
            if (!readiness.HasFailed && !_isReceiving && !CanRead && !IsClosed) WaitReadable();
        }

        Raise(readiness.IsReadable, readiness.IsWritable, hungUp: false, readiness.HasFailed);
    }

    /// <summary>
    /// On the loop: for a channel whose owner leaves news unread.
    /// A reset behind them is raised. False when there is no more need to ask.
    /// </summary>
    public bool LookForReset()
    {
        if (IsClosed || !CanRead || Failed) return false;
        // not a poll for errors, which says the same of urgent data; what this takes from the system, Failed remembers
        if (_socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is 0)
            return true;
        Raise(readable: false, writable: false, hungUp: false, failed: true);
        return false;
    }

    protected override IoStatus ReadCore(Span<byte> buffer, out int count)
    {
        count = _socket.Receive(buffer, SocketFlags.None, out var error);
        if (error == SocketError.Success && count == 0)
            return Failed || WasReset() ? IoStatus.Reset : IoStatus.Eof;
        if (count < buffer.Length && error is SocketError.Success or SocketError.WouldBlock)
            WaitReadable();
        return Status(error);
    }

    // One receive per piece: the scatter receive of Socket wants arrays, and this engine is not about speed.
    protected override IoStatus ReadWithGapsCore(Span<byte> area, int gap, int stride, out int count)
    {
        count = 0;
        for (var at = gap; at < area.Length; at += stride + gap)
        {
            var piece = area.Slice(at, Math.Min(stride, area.Length - at));
            var status = ReadCore(piece, out var received);
            count += received;
            if (status != IoStatus.Ok && count == 0) return status;
            if (received < piece.Length) return ReportEndLater(status);
        }

        return IoStatus.Ok;
    }

    protected override IoStatus WriteCore(ReadOnlySpan<byte> bytes, out int written)
    {
        written = 0;
        if (_isSending) return IoStatus.WouldBlock;
        written = _socket.Send(bytes, SocketFlags.None, out var error);
        if (error is not (SocketError.Success or SocketError.WouldBlock)) return Status(error);
        if (written == bytes.Length) return IoStatus.Ok;
        _oneByte[0] = bytes[written++];
        _send.SetBuffer(_oneByte);
        _isSending = true;
        NoRoomToWrite();
        if (!_socket.SendAsync(_send))
            ((SocketsLoop)Loop).Report(new Readiness(this, IsReadable: false, IsWritable: true, _send.SocketError != SocketError.Success));
        return IoStatus.Ok;
    }

    protected override void ShutdownWriteCore()
    {
        _shutdownWhenSent = _isSending;
        if (_isSending) return;
        _isWriteShut = true;
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The peer has reset the connection already; the next read says so.
        }
    }

    protected override void KeepAliveCore()
    {
        try
        {
            if (_socket.AddressFamily == AddressFamily.Unix) return;
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepIdleSeconds);
            _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepIntervalSeconds);
        }
        catch (SocketException)
        {
            // The peer has reset the connection already; the next read says so.
        }
    }

    protected override void CloseCore(bool abort)
    {
        // The one byte that stands for "no room" was promised to the owner as written.
        _closeWhenSent = _isSending && !abort;
        if (!_closeWhenSent) Dispose(abort);
    }

    private void Dispose(bool abort)
    {
        // Disposing a socket with a receive under way resets the connection, unless it was shut down before.
        if (abort) _socket.LingerState = new LingerOption(true, 0);
        else ShutdownBoth();
        _socket.Dispose();
    }

    private void ShutdownBoth()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // Not connected, or not any more.
        }
    }

    private static IoStatus Status(SocketError error) => error switch
    {
        SocketError.Success => IoStatus.Ok,
        SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable => IoStatus.WouldBlock,
        _ => IoStatus.Reset,
    };

    // The system tells of a reset once, perhaps to a send that is under way; who reads after it
    // sees an end like any other. But a connection whose other half is open is not closed by FIN.
    private bool WasReset()
    {
        const int ipProtoTcp = 6, tcpInfo = 11, tcpClose = 7;
        if (_isWriteShut || !OperatingSystem.IsLinux()) return false;
        Span<byte> state = stackalloc byte[1];
        try
        {
            return _socket.GetRawSocketOption(ipProtoTcp, tcpInfo, state) == 1 && state[0] == tcpClose;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // A read that got bytes and then met the end must not swallow the end: it is reported as an edge of its own.
    private IoStatus ReportEndLater(IoStatus status)
    {
        if (status is IoStatus.Eof or IoStatus.Reset)
            ((SocketsLoop)Loop).Report(new Readiness(this, IsReadable: true, IsWritable: false, status == IoStatus.Reset));
        return IoStatus.Ok;
    }

    private void WaitReadable()
    {
        if (_isReceiving) return;
        _isReceiving = true;
        if (!_socket.ReceiveAsync(_receive))
            ((SocketsLoop)Loop).Report(
                new Readiness(this, IsReadable: true, IsWritable: false, _receive.SocketError != SocketError.Success));
    }

    private void Connected(SocketAsyncEventArgs result)
    {
        _connectResult = result.SocketError;
        result.Dispose();
        ((SocketsLoop)Loop).Report(new Readiness(this, IsReadable: false, IsWritable: true, _connectResult != SocketError.Success));
    }
}
