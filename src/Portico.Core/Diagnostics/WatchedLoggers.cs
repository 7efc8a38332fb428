using Microsoft.Extensions.Logging;

namespace Portico.Core.Diagnostics;

/// <summary>
/// Loggers whose lines above debug go to the readers of events too, whatever the level that is written: these lines are for an operator
/// and are the alarms; a reader gets each of them, the log itself one a second of its kind. Every other line costs one more call.
/// </summary>
/// <param name="loggers">Where lines go; disposed of by whoever made them.</param>
/// <param name="events">Who is told besides.</param>
internal sealed class WatchedLoggers(ILoggerFactory loggers, EventFeed events) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new WatchedLogger(loggers.CreateLogger(categoryName), events);

    public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

    public void Dispose()
    {
    }

    private sealed class WatchedLogger(ILogger log, EventFeed events) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => log.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel) || IsWatched(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (log.IsEnabled(logLevel)) log.Log(logLevel, eventId, state, exception, formatter);
            if (IsWatched(logLevel)) Publish(logLevel, eventId, formatter(state, exception));
        }

        private void Publish(LogLevel level, EventId id, string text) => events.Publish(new ProxyEvent
        {
            Type = level >= LogLevel.Warning ? ProxyEvent.Alarm : ProxyEvent.Notice,
            At = events.Now,
            Name = id.Name,
            Level = NameOf(level),
            Text = text,
        });

        private bool IsWatched(LogLevel level) => level is >= LogLevel.Information and < LogLevel.None && events.HasReaders;

        private static string NameOf(LogLevel level) => level switch
        {
            LogLevel.Information => "information",
            LogLevel.Warning => "warning",
            LogLevel.Error => "error",
            _ => "critical",
        };
    }
}
