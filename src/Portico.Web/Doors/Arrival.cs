using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Portico.Core.Net;
using Portico.Web.Tls;

namespace Portico.Web.Doors;

/// <summary>A socket on its way to the web server: onto its loop, past its PROXY header, into TLS.</summary>
internal sealed class Arrival
{
    private readonly TlsContext? _tls;
    private readonly Action<LoopConnection> _onOpen;
    private readonly Action<Exception> _onFault;
    private readonly EndPoint? _local;
    private EndPoint? _remote;
    private string? _name;

    private Arrival(Socket socket, TlsContext? tls, Action<LoopConnection> onOpen, Action<Exception> onFault)
    {
        (_tls, _onOpen, _onFault) = (tls, onOpen, onFault);
        (_local, _remote) = (socket.LocalEndPoint, socket.RemoteEndPoint);
    }

    /// <summary>Puts a socket on a loop, and goes on there.</summary>
    /// <param name="loop">Where it lives.</param>
    /// <param name="socket">The loop's from now on.</param>
    /// <param name="isProxied">It begins with a PROXY header.</param>
    /// <param name="tls">Null = there is no TLS.</param>
    /// <param name="onOpen">Hears, on the loop, of a connection that is ready for the server; not of one that fails before.</param>
    /// <param name="onFault">Hears of an exception of ours, which has ended a connection.</param>
    public static void Begin(
        EventLoop loop, Socket socket, bool isProxied, TlsContext? tls, Action<LoopConnection> onOpen, Action<Exception> onFault)
    {
        Arrival arrival;
        try
        {
            arrival = new Arrival(socket, tls, onOpen, onFault);
        }
        catch (SocketException)
        {
            socket.Dispose(); // it has no addresses any more
            return;
        }

        loop.Post(() =>
        {
            if (loop.Adopt(socket, NullOwner.Instance) is not { } channel) return;
            if (isProxied)
                ProxiedSocket.Begin(channel, head => arrival.GoOn(channel, head), onFault);
            else arrival.Secure(channel, []);
        }, fault =>
        {
            onFault(fault);
            socket.Dispose();
        });
    }

    private void GoOn(Channel socket, ProxiedSocket.Head head)
    {
        _remote = head.Source ?? _remote;
        _name = head.Name;
        Secure(socket, head.Early);
    }

    private void Secure(Channel socket, byte[] early)
    {
        if (_tls is null) Open(socket, early, null);
        else TlsHandshake.Begin(socket, _tls.NewSession(), early, OpenSecured, _onFault);
    }

    private void OpenSecured(TlsHandshake handshake)
    {
        var features = new TlsFeatures(handshake.Session);
        Open(handshake.Open(NullOwner.Instance), [], features);
    }

    private void Open(Channel channel, ReadOnlySpan<byte> early, TlsFeatures? tls)
    {
        var connection = new LoopConnection(channel, _onFault) { LocalEndPoint = _local, RemoteEndPoint = _remote };
        if (_name is not null) connection.Features.Set(new NamedConnection(_name));
        if (tls is not null)
        {
            connection.Features.Set<ITlsConnectionFeature>(tls);
            connection.Features.Set<ITlsApplicationProtocolFeature>(tls);
            connection.Features.Set<ITlsHandshakeFeature>(tls);
        }

        _onOpen(connection);
        connection.Begin(early);
    }
}
