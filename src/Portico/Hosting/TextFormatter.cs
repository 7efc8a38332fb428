using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Portico.Hosting;

/// <summary>
/// One line a message: short on a terminal, where somebody reads along; elsewhere with the full time and its zone, the area and the number
/// of the event.
/// </summary>
internal sealed class TextFormatter(TimeProvider time, bool isTerminal) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "portico";

    private const string CorePrefix = "Portico.Core.";

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = OneLine(entry.Formatter(entry.State, entry.Exception));
        var error = entry.Exception is { } exception ? " " + OneLine(exception.ToString()) : "";
        var now = time.GetLocalNow();
        textWriter.WriteLine(isTerminal
            ? string.Create(CultureInfo.InvariantCulture, $"{now:HH:mm:ss} {LevelOf(entry.LogLevel)}: {message}{error}")
            : string.Create(CultureInfo.InvariantCulture, $"{now:yyyy-MM-ddTHH:mm:ss.fffzzz} {LevelOf(entry.LogLevel)}: "
                + $"{AreaOf(entry.Category)}[{entry.EventId.Id}] {message}{error}"));
    }

    /// <summary>The folder of the class that logs, as operators know it: cover, admission, telegram.</summary>
    public static string AreaOf(string category)
    {
        var rest = category.StartsWith(CorePrefix, StringComparison.Ordinal) ? category[CorePrefix.Length..] : "";
        return rest.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 ? rest[..dot].ToLowerInvariant() : "portico";
    }

    // What a client or a site wrote may stand in a message, and must not begin a line of its own.
    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static string LevelOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
