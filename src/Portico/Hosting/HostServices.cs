using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Portico.Core.Diagnostics;

namespace Portico.Hosting;

/// <summary>What the proxy gets from its surroundings: logging and metrics.</summary>
/// <remarks>
/// Put together by hand: a container of services finds <c>ILogger&lt;T&gt;</c> and options by types that it makes at run time, which took
/// 15 of the 35 ms from the start of the native binary to its first link.
/// </remarks>
internal sealed class HostServices : IDisposable
{
    // Lines that one act of the operator's brings about, each of which names something else.
    private static readonly Dictionary<int, int> Lists = new()
    {
        [2001] = 10_000, // AuditLog: each change of an operator's
        [9004] = 20, // Unwise
        [9006] = 20, // Listening
        [9008] = 8, // LinksStayNear
        [9022] = 8, // PublicAddressFound
        [9305] = 20, // ReloadError
        [9306] = 20, // ReloadUnwise
        [9307] = 20, // ReloadListening
    };

    /// <param name="level">The least that is written.</param>
    /// <param name="format">text or json.</param>
    public HostServices(LogLevel level, string format)
    {
        Levels = new LogLevels(level, TimeProvider.System);
        Loggers = LimitedLoggerFactory.Around(format == "json" ? OfJson(Levels) : OfText(Levels), TimeProvider.System, Lists);
    }

    /// <summary>Messages go to stderr, as stdout belongs to links.</summary>
    public ILoggerFactory Loggers { get; }

    /// <summary>What of them is written.</summary>
    public LogLevels Levels { get; }

    /// <summary>The meters of this process.</summary>
    public ProcessMeters Meters { get; } = new();

    /// <summary>Writes what waits.</summary>
    public void Dispose()
    {
        Loggers.Dispose();
        Levels.Dispose();
        Meters.Dispose();
    }

    private static LoggerFactory OfText(LogLevels levels)
    {
        var options = new ConsoleLoggerOptions { FormatterName = TextFormatter.FormatterName };
        ToStandardError(options);
        var console = new ConsoleLoggerProvider(
            new UnchangingOptions(options), [new TextFormatter(TimeProvider.System, LogPlaces.OfProcess())]);
        return new LoggerFactory([console], levels);
    }

    private static ILoggerFactory OfJson(LogLevels levels) => LoggerFactory.Create(logging =>
    {
        logging.Services.AddSingleton<IOptionsMonitor<LoggerFilterOptions>>(levels);
        logging.AddConsole(ToStandardError);
        logging.AddJsonConsole(json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ"));
    });

    private static void ToStandardError(ConsoleLoggerOptions console)
    {
        console.LogToStandardErrorThreshold = LogLevel.Trace;
        console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite; // a terminal that hangs must not hang a loop
    }

    private sealed class UnchangingOptions(ConsoleLoggerOptions options) : IOptionsMonitor<ConsoleLoggerOptions>
    {
        public ConsoleLoggerOptions CurrentValue => options;

        public ConsoleLoggerOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<ConsoleLoggerOptions, string?> listener) => null;
    }
}
