using Microsoft.Extensions.Logging;

namespace Portico.Admin;

/// <summary>Loggers for the web server: a line for each request is debug, as is one for each session of the proxy.</summary>
internal sealed class QuietLoggers(ILoggerFactory loggers) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new QuietLogger(loggers.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }

    private sealed class QuietLogger(ILogger log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => log.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(Quiet(logLevel));

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var level = Quiet(logLevel);
            if (log.IsEnabled(level)) log.Log(level, eventId, state, exception, formatter);
        }

        private static LogLevel Quiet(LogLevel level) => level switch
        {
            LogLevel.Debug => LogLevel.Trace,
            LogLevel.Information => LogLevel.Debug,
            _ => level,
        };
    }
}
