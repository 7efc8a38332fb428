using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Portico.Hosting;

/// <summary>What is logged: as the command line says, and for a time otherwise where an operator asked for it.</summary>
/// <param name="usual">The least that is written.</param>
/// <param name="time">When a change is over.</param>
internal sealed partial class LogLevels(LogLevel usual, TimeProvider time) : IOptionsMonitor<LoggerFilterOptions>, IDisposable
{
    private const string Core = "Portico.Core.";

    // Changes at a time: each makes every line a little dearer.
    private const int MostChanges = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Change> _changes = new(StringComparer.OrdinalIgnoreCase);
    private LoggerFilterOptions _current = new() { MinLevel = usual };
    private Action<LoggerFilterOptions, string?>? _listeners;

    private sealed class Change(LogLevel level)
    {
        public LogLevel Level => level;

        public ITimer? Timer { get; set; }
    }

    /// <inheritdoc/>
    public LoggerFilterOptions CurrentValue => Volatile.Read(ref _current);

    /// <inheritdoc/>
    public LoggerFilterOptions Get(string? name) => CurrentValue;

    /// <inheritdoc/>
    public IDisposable OnChange(Action<LoggerFilterOptions, string?> listener)
    {
        lock (_gate) _listeners += listener;
        return new Subscription(this, listener);
    }

    /// <summary>Writes more or less for a time.</summary>
    /// <param name="category">Of a folder of Core, such as cover, or the beginning of a category's name; null = of everything.</param>
    /// <param name="level">The least that is written.</param>
    /// <param name="duration">For how long; a second change of the same begins anew.</param>
    /// <returns>The level before; null if that is no category, or there are too many changes.</returns>
    public LogLevel? Set(string? category, LogLevel level, TimeSpan duration)
    {
        if (category is not null && !Category().IsMatch(category)) return null;
        var name = category switch
        {
            null => "",
            _ when category.Contains('.', StringComparison.Ordinal) || category is "Portico" or "Microsoft" => category,
            _ => Core + category,
        };
        lock (_gate)
        {
            if (_changes.Count >= MostChanges && !_changes.ContainsKey(name)) return null;
            var before = _changes.Remove(name, out var old) ? old.Level : usual;
            old?.Timer?.Dispose();
            var change = new Change(level);
            _changes.Add(name, change);
            change.Timer = time.CreateTimer(_ => End(name, change), null, duration, Timeout.InfiniteTimeSpan);
            Apply();
            return before;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var change in _changes.Values) change.Timer?.Dispose();
            _changes.Clear();
        }
    }

    // The timer of a change that another one has replaced may be late.
    private void End(string name, Change ended)
    {
        lock (_gate)
        {
            if (_changes.GetValueOrDefault(name) != ended) return;
            ended.Timer?.Dispose();
            _changes.Remove(name);
            Apply();
        }
    }

    private void Apply()
    {
        var options = new LoggerFilterOptions { MinLevel = _changes.TryGetValue("", out var all) ? all.Level : usual };
        foreach (var (name, change) in _changes)
        {
            if (name.Length > 0)
                options.Rules.Add(new LoggerFilterRule(null, name, change.Level, null));
        }

        Volatile.Write(ref _current, options);
        _listeners?.Invoke(options, null);
    }

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9.]{0,99}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Category();

    private sealed class Subscription(LogLevels levels, Action<LoggerFilterOptions, string?> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (levels._gate) levels._listeners -= listener;
        }
    }
}
