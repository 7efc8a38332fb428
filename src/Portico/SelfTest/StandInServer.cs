using System.Net;
using System.Net.Sockets;

namespace Portico.SelfTest;

/// <summary>A listener on a free port of loopback that serves every connection until it ends by itself or the run is over.</summary>
internal sealed class StandInServer : IAsyncDisposable
{
    private readonly Func<Socket, CancellationToken, Task> _serveOne;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _served;

    private StandInServer(Func<Socket, CancellationToken, Task> serveOne)
    {
        _serveOne = serveOne;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Endpoint = (IPEndPoint)_listener.LocalEndPoint!;
        _served = ServeAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>Starts listening.</summary>
    /// <param name="serveOne">What it does with a connection, which is closed afterwards.</param>
    /// <exception cref="SocketException">This machine has no loopback to listen on.</exception>
    public static StandInServer Start(Func<Socket, CancellationToken, Task> serveOne) => new(serveOne);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _served;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(ServeAsync(await _listener.AcceptAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    // Whatever ends a connection, who is on its other side sees the end and judges it.
    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                socket.NoDelay = true;
                await _serveOne(socket, _stop.Token);
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException or CheckFailedException)
            {
            }
        }
    }
}
