using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Portico.Core.Diagnostics;

/// <summary>
/// Loggers that write of each event above debug at most one line a second: whatever clients, links or a disk bring about, no log fills a
/// disk and no line that matters drowns. <c>PorticoProxy.Start</c> puts it around the host's loggers.
/// </summary>
/// <remarks>
/// A line that repeats is written at once, then once a second with the number of those that were left out. By event and not by text: what
/// hostile clients can choose does not make another line of it.
/// </remarks>
public sealed class LimitedLoggerFactory : ILoggerFactory
{
    // Lines that each name another of a closed set: all data centres are lost at once where a network is, and each is to be named.
    private static readonly Dictionary<int, int> OfCore = new()
    {
        [1311] = 12, // MiddleProxyUnreachable
        [1312] = 12, // MiddleProxyReachable
        [1321] = 12, // DcUnreachable
        [1322] = 12, // DcReachable
        [1402] = 4, // DownloadFailed
        [1403] = 4, // Downloaded
        [1701] = 8, // FlightLearned
        [1702] = 8, // FlightNotLearned
        [1703] = 8, // FlightNotLearnedAgain
        [1704] = 8, // FlightTooLarge
        [1705] = 8, // CoverAnswersPostQuantum
        [1706] = 8, // CoverHasOtherExtensions
        [1903] = 8, // TableHasOtherKey
    };

    private readonly ILoggerFactory _inner;
    private readonly TimeProvider _time;
    private readonly Dictionary<int, int> _atOnce;
    private readonly ConcurrentDictionary<(string Category, int EventId), EventLines> _events = new();

    private LimitedLoggerFactory(ILoggerFactory inner, TimeProvider time, IReadOnlyDictionary<int, int>? atOnce)
    {
        (_inner, _time) = (inner, time);
        _atOnce = new Dictionary<int, int>(OfCore);
        foreach (var (id, lines) in atOnce ?? OfCore) _atOnce[id] = lines;
    }

    /// <summary>Limits what is written through a factory; one that does so already stays as it is.</summary>
    /// <param name="inner">Where lines go.</param>
    /// <param name="time">The clock.</param>
    /// <param name="atOnce">By event id: how many lines of it may be written at once. All others one.</param>
    public static ILoggerFactory Around(ILoggerFactory inner, TimeProvider time, IReadOnlyDictionary<int, int>? atOnce = null) =>
        inner as LimitedLoggerFactory ?? new LimitedLoggerFactory(inner, time, atOnce);

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new LimitedLogger(this, categoryName, _inner.CreateLogger(categoryName));

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider) => _inner.AddProvider(provider);

    /// <summary>Writes what waits, and ends the factory behind this one.</summary>
    public void Dispose()
    {
        foreach (var lines in _events.Values) lines.Dispose();
        _inner.Dispose();
    }

    private EventLines LinesOf(string category, int eventId) => _events.GetOrAdd(
        (category, eventId),
        static (key, factory) => new EventLines(factory._atOnce.GetValueOrDefault(key.EventId, 1), factory._time), this);

    private sealed class LimitedLogger(LimitedLoggerFactory factory, string category, ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel <= LogLevel.Debug || !inner.IsEnabled(logLevel))
            {
                inner.Log(logLevel, eventId, state, exception, formatter);
                return;
            }

            factory.LinesOf(category, eventId.Id).Write(more => inner.Log(
                logLevel, eventId, state, exception,
                more == 0 ? formatter : (values, error) => $"{formatter(values, error)} ({more} more like it)"));
        }
    }
}
