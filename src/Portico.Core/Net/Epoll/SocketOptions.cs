namespace Portico.Core.Net.Epoll;

/// <summary>What relayed sockets are set to.</summary>
internal static unsafe class SocketOptions
{
    /// <summary>
    /// Most unsent bytes that the kernel takes of one client's output. Without it a slow line's buffer grows
    /// to megabytes of memory outside the process, and room is told of only when a third of that is free.
    /// </summary>
    public const int MostUnsent = 128 * 1024;

    // A peer that vanished without FIN is found by keepalive, or sooner by bytes on the way.
    private const int KeepIdleSeconds = 40, KeepIntervalSeconds = 10, KeepCount = 4, UserTimeoutMs = 60_000;

    /// <summary>
    /// For listening sockets, whose clients inherit it. No keepalive and no limit on unacknowledged bytes:
    /// neither has a web server, and anybody can see whether a connection is asked after 40 s of silence.
    /// A relay looks itself how far its client has got (<see cref="Pipe.Look"/>).
    /// </summary>
    public static void Listening(int descriptor)
    {
        NoDelay(descriptor);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_NOTSENT_LOWAT, MostUnsent);
    }

    /// <summary>No Nagle: 40 ms per message otherwise. A Unix socket takes none of these options and needs none.</summary>
    public static void NoDelay(int descriptor) => Set(descriptor, Native.IPPROTO_TCP, Native.TCP_NODELAY, 1);

    /// <summary>For sockets that others have made: ours are so from the first.</summary>
    public static void NonBlocking(int descriptor) =>
        _ = Native.fcntl(descriptor, Native.F_SETFL, Native.fcntl(descriptor, Native.F_GETFL) | Native.O_NONBLOCK);

    /// <summary>For connections that we made and that live on: each option is a system call.</summary>
    public static void KeepAlive(int descriptor)
    {
        Set(descriptor, Native.SOL_SOCKET, Native.SO_KEEPALIVE, 1);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_KEEPIDLE, KeepIdleSeconds);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_KEEPINTVL, KeepIntervalSeconds);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_KEEPCNT, KeepCount);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_USER_TIMEOUT, UserTimeoutMs);
    }

    /// <summary>Bytes written that the peer has not acknowledged; -1 if the socket is gone.</summary>
    public static long UnacknowledgedBytes(int descriptor)
    {
        int bytes;
        return Native.ioctl(descriptor, Native.SIOCOUTQ, &bytes) == 0 ? bytes : -1;
    }

    /// <summary>Sets an int option; true if the kernel took it.</summary>
    public static bool Set(int descriptor, int level, int name, int value) =>
        Native.setsockopt(descriptor, level, name, &value, sizeof(int)) == 0;
}
