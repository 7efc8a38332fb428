namespace Portico.Core.Net.Epoll;

/// <summary>What relayed sockets are set to.</summary>
internal static unsafe class SocketOptions
{
    // A peer that vanished without FIN is found out by keepalive (40 s + 5 x 40 s) or, with bytes on the way, by TCP_USER_TIMEOUT.
    private const int KeepIdleSeconds = 40, KeepIntervalSeconds = 40, KeepCount = 5, UserTimeoutMs = 120_000;

    /// <summary>
    /// For listening sockets, whose clients inherit it, and for connections to the cover, which no timer ends: no Nagle (40 ms per message otherwise), keepalive,
    /// a limit on unacknowledged bytes. A Unix socket takes none of it and needs none.
    /// </summary>
    public static void LongLived(int descriptor)
    {
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_NODELAY, 1);
        Set(descriptor, Native.SOL_SOCKET, Native.SO_KEEPALIVE, 1);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_KEEPIDLE, KeepIdleSeconds);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_KEEPINTVL, KeepIntervalSeconds);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_KEEPCNT, KeepCount);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_USER_TIMEOUT, UserTimeoutMs);
    }

    /// <summary>For connections to Telegram once they live on: each option is a system call, and a DC that vanished is found out by the idle limit anyway.</summary>
    public static void ToTelegram(int descriptor)
    {
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_NODELAY, 1);
        Set(descriptor, Native.IPPROTO_TCP, Native.TCP_USER_TIMEOUT, UserTimeoutMs);
    }

    /// <summary>Bytes written that the peer has not acknowledged; -1 if the socket is gone.</summary>
    public static long UnacknowledgedBytes(int descriptor)
    {
        int bytes;
        return Native.ioctl(descriptor, Native.SIOCOUTQ, &bytes) == 0 ? bytes : -1;
    }

    /// <summary>Sets an int option; true if the kernel took it.</summary>
    public static bool Set(int descriptor, int level, int name, int value) => Native.setsockopt(descriptor, level, name, &value, sizeof(int)) == 0;
}
