using System.Net;
using System.Net.Sockets;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram;

/// <summary>
/// An address whose connects neither succeed nor fail: a listening socket with a full queue,
/// which Linux answers by dropping the SYN. Needs no route that leads nowhere.
/// </summary>
public sealed class UnansweredEndpoint : IAsyncDisposable
{
    // A queue of length 0 takes one connection or two, by the system's count.
    private const int MostQueued = 16;

    private static readonly TimeSpan Answer = TimeSpan.FromMilliseconds(200);

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _queued = [];

    private UnansweredEndpoint()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(0);
        Endpoint = (IPEndPoint)_listener.LocalEndPoint!;
    }

    /// <summary>Where to call in vain.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>Fills the queue.</summary>
    /// <exception cref="PeerSurpriseException">The system goes on answering.</exception>
    public static async Task<UnansweredEndpoint> StartAsync()
    {
        var silent = new UnansweredEndpoint();
        for (var i = 0; i < MostQueued; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            silent._queued.Add(socket);
            using var clock = new CancellationTokenSource(Answer);
            try
            {
                await socket.ConnectAsync(silent.Endpoint, clock.Token);
            }
            catch (OperationCanceledException)
            {
                return silent;
            }
        }
        await silent.DisposeAsync();
        throw new PeerSurpriseException($"{MostQueued} connections fit into a queue of length 0");
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        foreach (var socket in _queued)
            socket.Dispose();
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }
}
