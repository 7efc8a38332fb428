using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Portico.Hosting;

/// <summary>
/// One line a message: short on a terminal, where somebody reads along; elsewhere with the full time and its zone, the area and the event.
/// The journal of systemd is told the level in front, as sd-daemon(3) has it, so that it can be asked for warnings.
/// </summary>
internal sealed class TextFormatter(TimeProvider time, LogPlace place) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "portico";

    private const string CorePrefix = "Portico.Core.";

    // The native binary has one of these for each kind of values that is logged, so it does nothing that needs none of them.
    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopeProvider, TextWriter textWriter) =>
        Write(entry.LogLevel, entry.Category, entry.EventId, entry.Formatter(entry.State, entry.Exception), entry.Exception, textWriter);

    private void Write(LogLevel level, string category, EventId id, string text, Exception? exception, TextWriter writer)
    {
        var message = OneLine(text);
        var error = exception is null ? "" : " " + OneLine(exception.ToString());
        var now = time.GetLocalNow();
        if (place == LogPlace.Journal)
            writer.Write(PriorityOf(level));
        writer.WriteLine(place == LogPlace.Terminal
            ? string.Create(CultureInfo.InvariantCulture, $"{now:HH:mm:ss} {LevelOf(level)}: {message}{error}")
            : string.Create(CultureInfo.InvariantCulture, $"{now:yyyy-MM-ddTHH:mm:ss.fffzzz} {LevelOf(level)}: "
                + $"{AreaOf(category)}[{NameOf(id)}] {message}{error}"));
    }

    private static string NameOf(EventId id) => id.Name ?? id.Id.ToString(CultureInfo.InvariantCulture);

    /// <summary>The folder of the class that logs, as operators know it: cover, admission, telegram.</summary>
    public static string AreaOf(string category)
    {
        var rest = category.StartsWith(CorePrefix, StringComparison.Ordinal) ? category[CorePrefix.Length..] : "";
        return rest.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 ? rest[..dot].ToLowerInvariant() : "portico";
    }

    private static string PriorityOf(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "<7>",
        LogLevel.Information => "<6>",
        LogLevel.Warning => "<4>",
        LogLevel.Error => "<3>",
        _ => "<2>",
    };

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
