using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram;

/// <summary>
/// A stand-in for every data centre: obfuscated2 without secret in all three transports,
/// resPQ, and the commands of <see cref="TestFrame"/>. Keeps books.
/// </summary>
public sealed class FakeTelegram : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Channel<DcConnection> _fresh = Channel.CreateUnbounded<DcConnection>();
    private readonly Lock _lock = new();
    private ImmutableList<DcConnection> _connections = [];
    private Task _accepting = Task.CompletedTask;

    private FakeTelegram(DcBehaviour behaviour)
    {
        Behaviour = behaviour;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Endpoint = (IPEndPoint)_listener.LocalEndPoint!;
    }

    /// <summary>Where every data centre lives.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>For connections still to come.</summary>
    public DcBehaviour Behaviour { get; set; }

    /// <summary>Every connection so far, closed ones included.</summary>
    public IReadOnlyList<DcConnection> Connections
    {
        get
        {
            lock (_lock)
                return _connections;
        }
    }

    /// <summary>The override table of a proxy: data centres 1 to 5 and their media twins.</summary>
    public ImmutableDictionary<int, ImmutableArray<IPEndPoint>> Endpoints =>
        Enumerable.Range(1, 5).SelectMany(id => new[] { id, -id }).ToImmutableDictionary(id => id, _ => ImmutableArray.Create(Endpoint));

    /// <summary>
    /// Binds a free port and serves. A data centre that refuses keeps
    /// its port without listening, so that nobody else gets it.
    /// </summary>
    public static FakeTelegram Start(DcBehaviour? behaviour = null)
    {
        var telegram = new FakeTelegram(behaviour ?? DcBehaviour.Good);
        if (!telegram.Behaviour.Refuses)
            telegram.Listen();
        return telegram;
    }

    /// <summary>One that refused takes connections from now on.</summary>
    public void Listen()
    {
        _listener.Listen(4096);
        _accepting = AcceptAsync();
    }

    /// <summary>The next connection that no earlier call has returned, as soon as it was accepted.</summary>
    public async Task<DcConnection> NextConnectionAsync()
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        return await _fresh.Reader.ReadAsync(clock.Token);
    }

    /// <summary>Closes the listener and every connection.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        foreach (var connection in Connections)
            await connection.DisposeAsync();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            if (Wire.TryWrap(socket) is not { } wire)
                continue;
            var connection = new DcConnection(wire, Behaviour);
            lock (_lock)
                _connections = _connections.Add(connection);
            _fresh.Writer.TryWrite(connection);
            connection.Start();
        }
    }
}
