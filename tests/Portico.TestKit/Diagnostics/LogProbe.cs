using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Portico.TestKit.Diagnostics;

/// <summary>One logged event with all that a sink could print of it.</summary>
/// <param name="Level">How bad.</param>
/// <param name="Category">Who logged.</param>
/// <param name="EventName">Of the event id.</param>
/// <param name="Text">Message, values of the message's holes, scopes and exception.</param>
public sealed record LogLine(LogLevel Level, string Category, string? EventName, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Level} {Category}[{EventName}] {Text}";
}

/// <summary>Collects every line of every level.</summary>
public sealed class LogProbe : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentQueue<LogLine> _lines = new();
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public LogProbe() => Factory = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(this));

    /// <summary>A factory that logs here and nowhere else.</summary>
    public ILoggerFactory Factory { get; }

    /// <summary>Everything so far, in order.</summary>
    public IReadOnlyCollection<LogLine> Lines => _lines;

    /// <summary>Lines that an operator would be woken for.</summary>
    public IEnumerable<LogLine> Errors => _lines.Where(line => line.Level >= LogLevel.Error);

    /// <summary>Lines in which these bytes stand as hex or base64.</summary>
    public IEnumerable<LogLine> LinesWith(byte[] secret) => _lines.Where(line =>
        line.Text.Contains(Convert.ToHexString(secret), StringComparison.OrdinalIgnoreCase)
        || line.Text.Contains(Convert.ToBase64String(secret).TrimEnd('='), StringComparison.Ordinal)
        || line.Text.Contains(Convert.ToBase64String(secret).TrimEnd('=').Replace('+', '-').Replace('/', '_'), StringComparison.Ordinal));

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Probe(this, categoryName);

    /// <inheritdoc/>
    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private sealed class Probe(LogProbe owner, string category) : ILogger
    {
        public IDisposable BeginScope<TState>(TState state)
            where TState : notnull => owner._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var text = new List<string> { formatter(state, exception) };
            if (state is IEnumerable<KeyValuePair<string, object?>> holes)
                text.AddRange(holes.Select(hole => string.Create(CultureInfo.InvariantCulture, $"{hole.Key}={hole.Value}")));
            owner._scopes.ForEachScope((scope, into) => into.Add($"scope {scope}"), text);
            if (exception is not null)
                text.Add(exception.ToString());
            owner._lines.Enqueue(new LogLine(logLevel, category, eventId.Name, string.Join(" | ", text)));
        }
    }
}
