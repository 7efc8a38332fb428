using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net;

/// <summary>
/// A listener's address could not be bound. The message names
/// the address and what to do; it is meant for the operator as it is.
/// </summary>
public sealed class ListenException(string message) : Exception(message)
{
    /// <summary>Says in words what the system refused.</summary>
    internal static ListenException For(IPEndPoint address, SocketError error) => new(error switch
    {
        SocketError.AddressAlreadyInUse =>
            $"cannot listen on {address}: another program, perhaps another Portico, already does; stop it or choose another port",
        SocketError.AccessDenied =>
            $"cannot listen on {address}: no permission for this port; use a port from 1024 on, or grant CAP_NET_BIND_SERVICE",
        SocketError.AddressNotAvailable => $"cannot listen on {address}: this machine does not have that address",
        SocketError.AddressFamilyNotSupported => $"cannot listen on {address}: this machine does not support that address family",
        SocketError.TooManyOpenSockets => $"cannot listen on {address}: no file descriptors left; raise the limit (ulimit -n)",
        _ => $"cannot listen on {address}: {error}",
    });
}
