using System.Net;
using System.Runtime.InteropServices;

namespace Portico.Core.Net.Epoll;

/// <summary>Opens listening sockets, and says in words why one cannot be had.</summary>
internal static unsafe class ListeningSocket
{
    /// <summary>Connections that the kernel keeps until they are accepted, per socket.</summary>
    public const int Backlog = 4096;

    /// <summary>One listening SO_REUSEPORT socket per loop on an address that <see cref="ProbeFree"/> found free.</summary>
    /// <exception cref="ListenException">One of them cannot be had; none stays open.</exception>
    public static List<int> OpenGroup(IPEndPoint address, int count)
    {
        var opened = new List<int>();
        while (opened.Count < count)
        {
            var descriptor = Bind(address, reusePort: true);
            if (descriptor >= 0) opened.Add(descriptor);
            if (descriptor >= 0 && Native.listen(descriptor, Backlog) == 0) continue;
            var error = Native.Errno;
            foreach (var member in opened) _ = Native.close(member);
            throw ListenException.For(address, Errors.ToSocketError(error));
        }

        return opened;
    }

    /// <summary>
    /// SO_REUSEPORT lets a second process of the same user share the port and take half of the clients. A first bind without it fails
    /// if anybody listens there, whoever it is; it never listens, so it takes no connection from anybody (docs/adr/0007).
    /// </summary>
    /// <returns>The address with its real port; 0.0.0.0 instead of :: where the machine has no IPv6.</returns>
    /// <exception cref="ListenException">The address is taken or cannot be had.</exception>
    public static IPEndPoint ProbeFree(IPEndPoint address)
    {
        var descriptor = Bind(address, reusePort: false);
        if (descriptor < 0 && Native.Errno == Native.EAFNOSUPPORT && address.Address.Equals(IPAddress.IPv6Any))
        {
            address = new IPEndPoint(IPAddress.Any, address.Port);
            descriptor = Bind(address, reusePort: false);
        }

        if (descriptor < 0) throw ListenException.For(address, Errors.ToSocketError(Native.Errno));
        var port = LocalAddress(descriptor)!.Port;
        _ = Native.close(descriptor);
        return new IPEndPoint(address.Address, port);
    }

    /// <summary>Where a descriptor listens for TCP; null = it does not.</summary>
    public static IPEndPoint? BoundTo(int descriptor)
    {
        int listens;
        uint length = sizeof(int);
        var isListening = Native.getsockopt(descriptor, Native.SOL_SOCKET, Native.SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0;
        return isListening ? LocalAddress(descriptor) : null;
    }

    /// <summary>Sets one that another process opened as ours are, and gives it our length of the queue.</summary>
    public static void Adopt(int descriptor)
    {
        var flags = Native.fcntl(descriptor, Native.F_GETFL);
        _ = Native.fcntl(descriptor, Native.F_SETFL, flags | Native.SOCK_NONBLOCK); // the same bit as O_NONBLOCK
        SocketOptions.Listening(descriptor);
        _ = Native.listen(descriptor, Backlog);
    }

    /// <summary>Another number for the same socket; -1 if there are none left.</summary>
    public static int Duplicate(int descriptor) => Native.fcntl(descriptor, Native.F_DUPFD_CLOEXEC);

    // Null for a unix socket.
    private static IPEndPoint? LocalAddress(int descriptor)
    {
        var bytes = stackalloc byte[SocketAddress.MaxLength];
        uint length = SocketAddress.MaxLength;
        if (Native.getsockname(descriptor, bytes, &length) != 0) return null;
        var address = new ReadOnlySpan<byte>(bytes, SocketAddress.MaxLength);
        return BitConverter.ToUInt16(address) is Native.AF_INET or Native.AF_INET6 ? SocketAddress.Read(address) : null;
    }

    private static int Bind(IPEndPoint address, bool reusePort)
    {
        var descriptor = Native.socket(SocketAddress.Family(address), Native.SOCK_STREAM | Native.SOCK_NONBLOCK | Native.SOCK_CLOEXEC, 0);
        if (descriptor < 0) return -1;
        SocketOptions.Set(descriptor, Native.SOL_SOCKET, Native.SO_REUSEADDR, 1);
        if (reusePort) SocketOptions.Set(descriptor, Native.SOL_SOCKET, Native.SO_REUSEPORT, 1);
        if (SocketAddress.Family(address) == Native.AF_INET6)
            SocketOptions.Set(descriptor, Native.IPPROTO_IPV6, Native.IPV6_V6ONLY, address.Address.Equals(IPAddress.IPv6Any) ? 0 : 1);
        SocketOptions.Listening(descriptor);
        var bytes = stackalloc byte[SocketAddress.MaxLength];
        var length = SocketAddress.Write(address, new Span<byte>(bytes, SocketAddress.MaxLength));
        if (Native.bind(descriptor, bytes, (uint)length) == 0) return descriptor;
        var error = Native.Errno;
        _ = Native.close(descriptor);
        Marshal.SetLastPInvokeError(error);
        return -1;
    }
}
