using System.Net;
using System.Net.Sockets;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram;

/// <summary>A port of its own on loopback that can refuse connections for a while and then be there again.</summary>
internal sealed class LoopbackListener : IAsyncDisposable
{
    private const int Backlog = 4096;

    private readonly Action<Wire> _accepted;

    // Bound and never listening: keeps the port ours while nobody listens on it.
    // Both sockets allow to share, else the second bind would fail.
    private readonly Socket _holder;
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;

    /// <param name="address">A loopback address of either family.</param>
    /// <param name="accepted">Gets each connection, on any thread; must not block.</param>
    internal LoopbackListener(IPAddress address, Action<Wire> accepted)
    {
        _accepted = accepted;
        _holder = Bind(new IPEndPoint(address, 0));
        Endpoint = (IPEndPoint)_holder.LocalEndPoint!;
    }

    internal IPEndPoint Endpoint { get; }

    /// <summary>From now on connections are accepted; nothing if they are already.</summary>
    internal void Listen()
    {
        if (_listener is not null)
            return;
        _listener = Bind(Endpoint);
        _listener.Listen(Backlog);
        _accepting = AcceptAsync(_listener);
    }

    /// <summary>From now on connections are refused. Those accepted before go on.</summary>
    internal async Task StopAsync()
    {
        _listener?.Dispose();
        _listener = null;
        await _accepting;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _holder.Dispose();
    }

    private static Socket Bind(IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(endpoint);
        return socket;
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            if (Wire.TryWrap(socket) is { } wire)
                _accepted(wire);
        }
    }
}
