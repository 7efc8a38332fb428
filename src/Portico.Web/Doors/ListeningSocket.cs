using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Portico.Web.Doors;

/// <summary>
/// Makes listening sockets. On Linux a process that takes over listens beside the one before it, on the same address: between two of
/// them no visitor is refused.
/// </summary>
/// <param name="isSuccessor">Somebody may listen there already: the process that is to be followed.</param>
internal sealed class ListeningSocket(bool isSuccessor)
{
    private const int SocketLevel = 1, ReusePort = 15; // asm-generic/socket.h

    private const int TcpLevel = 6, NotSentLowAt = 25; // linux/tcp.h

    // Unsent bytes that the kernel takes of one connection. Left to itself it takes megabytes, and a message stands behind them that
    // would go first among what waits in a session.
    private const int MostUnsent = 64 * 1024;

    /// <summary>Binds a socket.</summary>
    /// <exception cref="SocketException">The address cannot be had.</exception>
    /// <exception cref="IOException">The file of a unix socket cannot be replaced.</exception>
    public Socket Bind(EndPoint endpoint) => endpoint switch
    {
        UnixDomainSocketEndPoint => BindUnix(endpoint),
        IPEndPoint address when OperatingSystem.IsLinux() => BindShared(address),
        _ => SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint),
    };

    private static Socket BindUnix(EndPoint endpoint)
    {
        File.Delete(endpoint.ToString()!);
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        // Nobody can connect yet.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(endpoint.ToString()!, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return socket;
    }

    private Socket BindShared(IPEndPoint address)
    {
        // Where IPv6 is off, every address is every one of IPv4.
        if (address.Address.Equals(IPAddress.IPv6Any) && !Socket.OSSupportsIPv6)
            address = new IPEndPoint(IPAddress.Any, address.Port);
        // Another program of this user that shares its ports too would be given half of our visitors, and nobody would hear of it.
        if (!isSuccessor) SocketTransportOptions.CreateDefaultBoundListenSocket(address).Dispose();
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.SetRawSocketOption(SocketLevel, ReusePort, BitConverter.GetBytes(1));
            socket.SetRawSocketOption(TcpLevel, NotSentLowAt, BitConverter.GetBytes(MostUnsent)); // those that it accepts inherit it
            socket.Bind(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
