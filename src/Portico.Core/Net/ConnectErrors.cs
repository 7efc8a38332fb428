using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net;

/// <summary>Why a connection did not come about, in words for the operator.</summary>
internal static class ConnectErrors
{
    /// <summary>
    /// Whether this machine, or a limit of it, has too little of something: the other side is not to blame. Without a local address for
    /// IPv4 there are no ports left; without one for IPv6 there mostly is no IPv6.
    /// </summary>
    public static bool IsOurWant(EndPoint address, SocketError error) => error switch
    {
        SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => true,
        SocketError.AddressNotAvailable => address.AddressFamily == AddressFamily.InterNetwork,
        _ => false,
    };

    public static string Words(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.TimedOut => "no answer",
        SocketError.NetworkUnreachable => "network unreachable",
        SocketError.HostUnreachable => "no route to host",
        SocketError.NetworkDown => "network is down",
        SocketError.ConnectionReset => "connection reset",
        SocketError.AccessDenied => "forbidden by this machine (firewall or sandbox)",
        SocketError.AddressFamilyNotSupported => "address family not supported by this machine",
        SocketError.AddressNotAvailable => "no local address or port for it",
        SocketError.TooManyOpenSockets => "no file descriptors left",
        SocketError.NoBufferSpaceAvailable => "no memory left for sockets",
        _ => $"error {error}",
    };
}
