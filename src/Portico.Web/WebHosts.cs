using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Portico.Core;
using Portico.Core.Options;
using Portico.Core.Web;
using Portico.Web.Doors;

namespace Portico.Web;

/// <summary>The HTTP side of a proxy: a server for each listener with a WEB proxy, as the settings in force want them.</summary>
public sealed partial class WebHosts : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly PorticoProxy _proxy;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Dictionary<string, (Door Door, WebServer Server)> _open = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _hurry = new();
    private bool _isClosed;
    private Task? _stopping;

    private WebHosts(PorticoProxy proxy, ILoggerFactory loggers, TimeProvider time)
    {
        (_proxy, _loggers, _time) = (proxy, loggers, time);
        _log = loggers.CreateLogger<WebHosts>();
    }

    /// <summary>What makes another server of one.</summary>
    /// <param name="Place">Where it listens.</param>
    /// <param name="SpeaksTls">Whether it has a certificate.</param>
    private sealed record Door(EndPoint Place, bool SpeaksTls)
    {
        public static Door Of(ListenerSettings listener) => new(
            listener.Web!.Socket is { } path ? new UnixDomainSocketEndPoint(path) : listener.Address, listener.Web.Certificate is not null);
    }

    /// <summary>Where they listen, with real ports.</summary>
    public IReadOnlyList<EndPoint> Addresses => [.. _open.Values.Select(it => it.Server.Address)];

    /// <summary>Opens what the settings want, and from then on follows them.</summary>
    /// <param name="proxy">Running.</param>
    /// <param name="loggers">Where lines go.</param>
    /// <param name="time">The clock.</param>
    /// <param name="isSuccessor">The process that is to be followed may listen in the same places still.</param>
    /// <exception cref="WebHostException">One of them cannot be opened; none is.</exception>
    public static async Task<WebHosts> StartAsync(
        PorticoProxy proxy, ILoggerFactory loggers, TimeProvider time, bool isSuccessor = false)
    {
        var hosts = new WebHosts(proxy, loggers, time);
        try
        {
            foreach (var listener in hosts.Wanted()) await hosts.OpenAsync(listener, isSuccessor).ConfigureAwait(false);
        }
        catch (WebHostException)
        {
            await hosts.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        if (hosts.Wanted().Any(listener => listener.Web!.Socket is not null)) proxy.BeginLearning();
        proxy.WebGatesChanged += hosts.OnChanged;
        proxy.CloseWeb = hosts.CloseAsync;
        return hosts;
    }

    /// <summary>
    /// Takes no more connections. Requests that are under way end with their sessions, whose end is the proxy's business.
    /// </summary>
    /// <param name="hurry">What is not done by then is cut off, whoever has stopped them first.</param>
    public Task StopAsync(CancellationToken hurry)
    {
        hurry.UnsafeRegister(_ => _hurry.Cancel(), null);
        lock (_open) return _stopping ??= StopOnceAsync();
    }

    /// <summary>Stops; what is under way has 2 s.</summary>
    public async ValueTask DisposeAsync()
    {
        _hurry.CancelAfter(Patience);
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
    }

    // Whoever stops them may give them longer, but the loops that they need do not live longer.
    private async Task CloseAsync()
    {
        _hurry.CancelAfter(Patience);
        await Task.WhenAny(StopAsync(CancellationToken.None), Task.Delay(2 * Patience)).ConfigureAwait(false);
    }

    private async Task StopOnceAsync()
    {
        _proxy.WebGatesChanged -= OnChanged;
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false); // what is being opened is closed too
        _isClosed = true;
        _turn.Release();
        await Task.WhenAll(_open.Values.Select(it => it.Server.StopAsync(_hurry.Token))).ConfigureAwait(false);
    }

    private IEnumerable<ListenerSettings> Wanted() => _proxy.Settings.Listeners.Where(listener => listener.Web is not null);

    private async void OnChanged()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_isClosed) await FollowAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            Log.Faulted(_log, error);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task FollowAsync()
    {
        var wanted = Wanted().ToDictionary(listener => listener.Name, StringComparer.Ordinal);
        foreach (var (name, open) in _open.ToArray())
        {
            if (wanted.TryGetValue(name, out var listener) && Door.Of(listener) == open.Door)
                continue;
            _open.Remove(name);
            await open.Server.DisposeAsync().ConfigureAwait(false);
        }

        foreach (var listener in wanted.Values.Where(listener => !_open.ContainsKey(listener.Name)))
        {
            try
            {
                await OpenAsync(listener, isSuccessor: false).ConfigureAwait(false);
            }
            catch (WebHostException problem)
            {
                Log.NotOpened(_log, listener.Name, problem.Message);
            }
        }
    }

    private async Task OpenAsync(ListenerSettings listener, bool isSuccessor)
    {
        var door = Door.Of(listener);
        try
        {
            if (listener.Web!.Socket is { } path) StaleSockets.Remove(path);
            var gate = GateOf(listener.Name) ?? throw new WebHostException($"listener {listener.Name} has no WEB proxy");
            // A request that comes while the listener goes is still answered.
            var server = await WebServer.StartAsync(
                () => gate = GateOf(listener.Name) ?? gate, door.Place, _loggers, _time, isSuccessor).ConfigureAwait(false);
            _open.Add(listener.Name, (door, server));
        }
        catch (Exception problem) when (problem is IOException or SocketException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new WebHostException($"the site of listener {listener.Name} at {door.Place}: {problem.Message}");
        }
    }

    private WebGate? GateOf(string listener) => _proxy.WebGates.FirstOrDefault(gate => gate?.Listener == listener);

    private static partial class Log
    {
        [LoggerMessage(EventId = 2361, EventName = "WebHostNotOpened", Level = LogLevel.Error,
            Message = "Listener {Listener} has no WEB proxy: {Problem}. Everything else of the configuration is in force")]
        public static partial void NotOpened(ILogger logger, string listener, string problem);

        [LoggerMessage(EventId = 2362, EventName = "WebHostsFaulted", Level = LogLevel.Error,
            Message = "An exception of the proxy ended a change of WEB listeners; please report it")]
        public static partial void Faulted(ILogger logger, Exception error);
    }
}

/// <summary>A WEB host cannot be opened; the message is for the operator.</summary>
public sealed class WebHostException(string message) : Exception(message);
