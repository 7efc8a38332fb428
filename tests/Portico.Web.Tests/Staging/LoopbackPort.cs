using System.Net;
using System.Net.Sockets;

namespace Portico.Web.Tests.Staging;

/// <summary>A port on loopback that does something with each connection, until it is disposed of.</summary>
internal abstract class LoopbackPort : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private Task _running = Task.CompletedTask;

    protected LoopbackPort()
    {
        _listener.Start();
        Address = (IPEndPoint)_listener.LocalEndpoint;
    }

    public IPEndPoint Address { get; }

    /// <summary>The port is being closed.</summary>
    protected CancellationToken End => _end.Token;

    public virtual async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _running;
        _end.Dispose();
    }

    /// <summary>Takes connections from now on: the last thing that a constructor does.</summary>
    protected void Open() => _running = AcceptAsync();

    /// <summary>What becomes of one.</summary>
    /// <param name="client">Belongs to whoever carries it.</param>
    /// <param name="number">From 1.</param>
    protected abstract Task CarryAsync(Socket client, uint number);

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            for (var number = 1u; ; number++)
                connections.Add(CarryAsync(await _listener.AcceptSocketAsync(_end.Token), number));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }
}
