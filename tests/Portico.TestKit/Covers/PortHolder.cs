using System.Net;
using System.Net.Sockets;

namespace Portico.TestKit.Covers;

/// <summary>
/// A free port of loopback for a program that has to be told one: bound here and never listening,
/// so that nobody else is given it. Shared with whoever binds with SO_REUSEADDR, as servers do.
/// </summary>
internal sealed class PortHolder : IDisposable
{
    // SOL_SOCKET and SO_REUSEADDR of Linux: the option of that name in .NET sets SO_REUSEPORT, which servers do not.
    private const int SocketLevel = 1;
    private const int ReuseAddress = 2;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    internal PortHolder()
    {
        _socket.SetRawSocketOption(SocketLevel, ReuseAddress, [1, 0, 0, 0]);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Endpoint = (IPEndPoint)_socket.LocalEndPoint!;
    }

    internal IPEndPoint Endpoint { get; }

    public void Dispose() => _socket.Dispose();
}
