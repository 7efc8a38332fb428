using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>
/// A stand-in for one middle proxy of Telegram: the server's side of spec/03, with a data centre
/// behind it that knows resPQ and the commands of <see cref="TestFrame"/>. Keeps books.
/// </summary>
/// <remarks>
/// <see cref="TestCommand.Finish"/> becomes RPC_CLOSE_EXT, <see cref="TestCommand.Reset"/> RST of the whole link;
/// a request with the quick-ack flag is acknowledged with <see cref="MiddleRequest.ConfirmOf"/> before it is answered.
/// </remarks>
public sealed class FakeMiddleProxy : IAsyncDisposable
{
    private readonly MiddleProxySecret _secret;
    private readonly TimeProvider _time;
    private readonly News _news;
    private readonly LoopbackListener _listener;
    private readonly Channel<MiddleConnection> _fresh = Channel.CreateUnbounded<MiddleConnection>();
    private readonly Lock _lock = new();
    private readonly Queue<MiddleBehaviour> _next = [];
    private ImmutableList<MiddleConnection> _connections = [];
    private MiddleBehaviour _behaviour;

    private FakeMiddleProxy(MiddleProxySecret secret, MiddleBehaviour behaviour, IPAddress address, TimeProvider time, News news)
    {
        _secret = secret;
        _behaviour = behaviour;
        _time = time;
        _news = news;
        _listener = new LoopbackListener(address, Take);
    }

    public IPEndPoint Endpoint => _listener.Endpoint;

    /// <summary>For connections still to come.</summary>
    public MiddleBehaviour Behaviour
    {
        get => Volatile.Read(ref _behaviour);
        set => Volatile.Write(ref _behaviour, value);
    }

    /// <summary>Every connection so far, closed ones included.</summary>
    public IReadOnlyList<MiddleConnection> Connections
    {
        get
        {
            lock (_lock)
                return _connections;
        }
    }

    /// <summary>Those with a finished handshake that neither side has ended.</summary>
    public IReadOnlyList<MiddleConnection> OpenConnections => [.. Connections.Where(connection => connection.IsOpen)];

    /// <summary>All requests, connection by connection.</summary>
    public IReadOnlyList<MiddleRequest> Requests => [.. Connections.SelectMany(connection => connection.Requests)];

    /// <summary>What the proxy did on any connection that no proxy may do.</summary>
    public IReadOnlyList<string> Violations => [.. Connections.SelectMany(connection => connection.Violations)];

    /// <summary>Binds a free port and serves.</summary>
    /// <param name="secret">What getProxySecret gives.</param>
    /// <param name="behaviour">What is wrong with it.</param>
    /// <param name="address">Where on loopback; null = 127.0.0.1.</param>
    /// <param name="time">The clock that the proxy's is compared with; null = the real one.</param>
    public static FakeMiddleProxy Start(
        MiddleProxySecret secret, MiddleBehaviour? behaviour = null, IPAddress? address = null, TimeProvider? time = null) =>
        Start(secret, behaviour, address, time, new News());

    internal static FakeMiddleProxy Start(
        MiddleProxySecret secret, MiddleBehaviour? behaviour, IPAddress? address, TimeProvider? time, News news)
    {
        var fake = new FakeMiddleProxy(
            secret, behaviour ?? MiddleBehaviour.Good, address ?? IPAddress.Loopback, time ?? TimeProvider.System, news);
        fake._listener.Listen();
        return fake;
    }

    /// <summary>For the next connection only; calls queue up.</summary>
    public void ForNext(MiddleBehaviour behaviour)
    {
        lock (_lock)
            _next.Enqueue(behaviour);
    }

    /// <summary>The next connection that no earlier call has returned, as soon as it was accepted.</summary>
    public async Task<MiddleConnection> NextConnectionAsync()
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        return await _fresh.Reader.ReadAsync(clock.Token);
    }

    /// <summary>Waits until something in the books of this fake is true.</summary>
    /// <exception cref="PeerSurpriseException">It did not become true.</exception>
    public Task UntilAsync(Func<FakeMiddleProxy, bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null) =>
        _news.UntilAsync(() => condition(this), Describe, what);

    /// <summary>Ends every open link at once, as Telegram does to each from time to time.</summary>
    public Task EndAllAsync(PeerEnd end = PeerEnd.Fin) => Task.WhenAll(OpenConnections.Select(connection => connection.EndAsync(end)));

    /// <summary>Connections are refused from now on; those that are there go on.</summary>
    public Task StopListeningAsync() => _listener.StopAsync();

    /// <summary>The contrary of <see cref="StopListeningAsync"/>, on the same port.</summary>
    public void ListenAgain() => _listener.Listen();

    /// <summary>The books in one line.</summary>
    public string Describe() => $"{Endpoint}: " + string.Join("; ", Connections.Select(connection =>
        $"{connection.Proxy} {(connection.IsOpen ? "open" : "not open")} "
            + $"{connection.Requests.Count} requests {connection.Clients.Count} clients "
        + $"{connection.OpenClientCount} open {connection.CloseConns.Count} closed [{string.Join(", ", connection.Violations)}]"));

    /// <summary>Closes the listener and every connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        foreach (var connection in Connections)
            await connection.DisposeAsync();
    }

    private void Take(Wire wire)
    {
        MiddleConnection connection;
        lock (_lock)
        {
            connection = new MiddleConnection(wire, _next.TryDequeue(out var next) ? next : Behaviour, _secret, _news, _time);
            _connections = _connections.Add(connection);
        }
        connection.Start();
        _fresh.Writer.TryWrite(connection);
        _news.Tell();
    }
}
