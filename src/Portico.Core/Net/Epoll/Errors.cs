using System.Net.Sockets;

namespace Portico.Core.Net.Epoll;

/// <summary>Error numbers in the words of the seam.</summary>
internal static class Errors
{
    /// <summary>
    /// Try again after the next edge. ENOBUFS and ENOMEM on a stream
    /// are the kernel's "not now", not the connection's end.
    /// </summary>
    public static bool IsTransient(int errno) => errno is Native.EAGAIN or Native.ENOBUFS or Native.ENOMEM;

    /// <summary>Out of descriptors or memory: whatever was asked for may succeed later.</summary>
    public static bool IsExhaustion(int errno) => errno is Native.EMFILE or Native.ENFILE or Native.ENOBUFS or Native.ENOMEM;

    public static SocketError ToSocketError(int errno) => errno switch
    {
        0 => SocketError.Success,
        Native.EACCES or Native.EPERM => SocketError.AccessDenied,
        Native.EADDRINUSE => SocketError.AddressAlreadyInUse,
        Native.EADDRNOTAVAIL => SocketError.AddressNotAvailable,
        Native.EAFNOSUPPORT => SocketError.AddressFamilyNotSupported,
        Native.EAGAIN => SocketError.TryAgain, // of connect on a Unix socket: its queue is full
        Native.EMFILE or Native.ENFILE => SocketError.TooManyOpenSockets,
        Native.ENOBUFS or Native.ENOMEM => SocketError.NoBufferSpaceAvailable,
        100 => SocketError.NetworkDown,
        101 => SocketError.NetworkUnreachable,
        104 => SocketError.ConnectionReset,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        113 => SocketError.HostUnreachable,
        _ => SocketError.SocketError,
    };
}
