using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Portico.Hosting;

/// <summary>What the proxy gets from its surroundings: logging and metrics.</summary>
internal static class HostServices
{
    /// <summary>Messages go to stderr, as stdout belongs to links.</summary>
    public static ServiceProvider Create(LogLevel level, string format)
    {
        var services = new ServiceCollection();
        services.AddMetrics();
        services.AddLogging(logging =>
        {
            logging.SetMinimumLevel(level);
            if (format == "json")
                logging.AddJsonConsole(json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ"));
            else
                logging.AddConsole(console => console.FormatterName = TextFormatter.FormatterName);
        });
        services.AddSingleton<ConsoleFormatter>(new TextFormatter(TimeProvider.System, LogPlaces.OfProcess()));
        services.Configure<ConsoleLoggerOptions>(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite; // a terminal that hangs must not hang a loop
        });
        return services.BuildServiceProvider();
    }
}
