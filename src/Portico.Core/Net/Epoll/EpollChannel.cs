using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net.Epoll;

/// <summary>A TCP socket on an epoll loop, registered once, edge-triggered, for both directions.</summary>
internal sealed unsafe class EpollChannel : Channel
{
    private readonly int _descriptor;

    public EpollChannel(EpollLoop loop, IChannelOwner owner, int descriptor, bool connected)
        : base(loop, owner)
    {
        _descriptor = descriptor;
        if (connected) AssumeWritable();
    }

    public int Descriptor => _descriptor;

    public override bool CanChangeLoops => true;

    public override SocketError ConnectResult()
    {
        int error;
        uint length = sizeof(int);
        if (Native.getsockopt(_descriptor, Native.SOL_SOCKET, Native.SO_ERROR, &error, &length) != 0)
            error = Native.Errno;
        return Errors.ToSocketError(error);
    }

    public override IPEndPoint? RemoteAddress()
    {
        var address = stackalloc byte[SocketAddress.MaxLength];
        uint length = SocketAddress.MaxLength;
        return Native.getpeername(_descriptor, address, &length) == 0
            ? SocketAddress.Read(new ReadOnlySpan<byte>(address, SocketAddress.MaxLength))
            : null;
    }

    public override int WriteRemoteAddress(Span<byte> target)
    {
        var address = stackalloc byte[SocketAddress.MaxLength];
        uint length = SocketAddress.MaxLength;
        if (Native.getpeername(_descriptor, address, &length) != 0) return 0;
        var bytes = SocketAddress.Bytes(new ReadOnlySpan<byte>(address, SocketAddress.MaxLength));
        bytes.CopyTo(target);
        return bytes.Length;
    }

    // Asked for each connection that comes in: without the objects of RemoteAddress, and without a system call while accept has just told.
    public override ClientNetwork RemoteNetwork()
    {
        if (((EpollLoop)Loop).NetworkOfAccepted(this) is { IsKnown: true } known) return known;
        Span<byte> bytes = stackalloc byte[16];
        return WriteRemoteAddress(bytes) is > 0 and var length ? ClientNetwork.Of(bytes[..length]) : default;
    }

    public override IPEndPoint? LocalAddress()
    {
        var address = stackalloc byte[SocketAddress.MaxLength];
        uint length = SocketAddress.MaxLength;
        return Native.getsockname(_descriptor, address, &length) == 0
            ? SocketAddress.Read(new ReadOnlySpan<byte>(address, SocketAddress.MaxLength))
            : null;
    }

    public override long UnacknowledgedBytes() => SocketOptions.UnacknowledgedBytes(_descriptor);

    protected override IoStatus ReadCore(Span<byte> buffer, out int count)
    {
        fixed (byte* start = buffer)
        {
            nint n;
            do n = Native.recv(_descriptor, start, (nuint)buffer.Length, 0);
            while (n < 0 && Native.Errno == Native.EINTR);
            return AfterReading(n, out count);
        }
    }

    protected override IoStatus ReadWithGapsCore(Span<byte> area, int gap, int stride, out int count)
    {
        var pieces = stackalloc Native.IoVector[MostPieces];
        fixed (byte* start = area)
        {
            var used = 0;
            for (var at = gap; at < area.Length && used < MostPieces; at += stride + gap)
            {
                pieces[used].Base = start + at;
                pieces[used++].Length = (nuint)Math.Min(stride, area.Length - at);
            }

            nint n;
            do n = Native.readv(_descriptor, pieces, used);
            while (n < 0 && Native.Errno == Native.EINTR);
            return AfterReading(n, out count);
        }
    }

    protected override IoStatus WriteCore(ReadOnlySpan<byte> bytes, out int written)
    {
        fixed (byte* start = bytes)
        {
            nint n;
            do n = Native.send(_descriptor, start, (nuint)bytes.Length, Native.MSG_NOSIGNAL);
            while (n < 0 && Native.Errno == Native.EINTR);
            written = (int)Math.Max(n, 0);
            if (n >= 0) return IoStatus.Ok;
            return Errors.IsTransient(Native.Errno) ? IoStatus.WouldBlock : IoStatus.Reset;
        }
    }

    protected override void ShutdownWriteCore() => _ = Native.shutdown(_descriptor, Native.SHUT_WR);

    protected override void SettleCore() => SocketOptions.NoDelay(_descriptor);

    protected override void KeepAliveCore() => SocketOptions.KeepAlive(_descriptor);

    protected override void CloseCore(bool abort)
    {
        if (abort)
        {
            var lingerZero = stackalloc int[2] { 1, 0 };
            _ = Native.setsockopt(_descriptor, Native.SOL_SOCKET, Native.SO_LINGER, lingerZero, 2 * sizeof(int));
        }

        EpollLoop.Release(_descriptor);
    }

    protected override DetachedChannel? DetachCore()
    {
        ((EpollLoop)Loop).Forget(_descriptor);
        return new Detached(_descriptor);
    }

    private sealed class Detached(int descriptor) : DetachedChannel
    {
        private bool _isTaken;

        public override Channel? Attach(EventLoop loop, IChannelOwner owner)
        {
            _isTaken = true;
            return ((EpollLoop)loop).Attach(descriptor, owner);
        }

        public override bool TryDiscard()
        {
            if (_isTaken) return false;
            _isTaken = true;
            EpollLoop.Release(descriptor);
            return true;
        }
    }

    private static IoStatus AfterReading(nint n, out int count)
    {
        count = (int)Math.Max(n, 0);
        if (n > 0) return IoStatus.Ok;
        if (n == 0) return IoStatus.Eof;
        return Errors.IsTransient(Native.Errno) ? IoStatus.WouldBlock : IoStatus.Reset;
    }
}
