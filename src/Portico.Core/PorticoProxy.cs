using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Options;

namespace Portico.Core;

/// <summary>A running proxy: its loops and listeners.</summary>
public sealed class PorticoProxy : IAsyncDisposable
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _sessions;

    private PorticoProxy(ProxySettings settings) => Settings = settings;

    /// <summary>The settings it runs with.</summary>
    public ProxySettings Settings { get; }

    /// <summary>Where each listener of <see cref="Settings"/> listens, in the same order, with the real port.</summary>
    public ImmutableArray<IPEndPoint> Endpoints { get; private init; } = [];

    /// <summary>Sessions that are open now, handshakes included.</summary>
    public int SessionCount => Volatile.Read(ref _sessions);

    /// <summary>Binds every listener and starts the loops.</summary>
    /// <exception cref="ListenException">An address could not be bound; nothing is left running.</exception>
    public static PorticoProxy Start(ProxySettings settings, ILoggerFactory loggers, IMeterFactory meters, TimeProvider time)
    {
        _ = loggers;
        _ = meters;
        _ = time;
        return new PorticoProxy(settings);
    }

    /// <summary>Completes when the proxy has ended; faults if a loop died (the process must then end with exit code 1).</summary>
    public Task Completion => _ended.Task;

    /// <summary>Stops accepting, waits at most <paramref name="drain"/> for the sessions to end by themselves, then closes the rest.</summary>
    public Task StopAsync(TimeSpan drain)
    {
        _sessions = 0;
        _ended.TrySetResult();
        return _ended.Task;
    }

    /// <summary>Stops without draining.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
}

/// <summary>A listener's address could not be bound. The message names the address and what to do; it is meant for the operator as it is.</summary>
public sealed class ListenException(string message) : Exception(message);
