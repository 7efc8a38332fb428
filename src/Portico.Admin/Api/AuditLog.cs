using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Portico.Admin.Doors;

namespace Portico.Admin.Api;

/// <summary>One line for each change that somebody made by the interface. Values are never secrets.</summary>
internal sealed partial class AuditLog(ILogger log)
{
    // What a caller wrote may be long.
    private const int MostShown = 200;

    /// <summary>Something was changed.</summary>
    /// <param name="context">Whose request it was.</param>
    /// <param name="what">What.</param>
    /// <param name="old">How it was.</param>
    /// <param name="now">How it is.</param>
    public void Changed(HttpContext context, string what, string old, string now)
    {
        if (!log.IsEnabled(LogLevel.Information)) return;
        var (who, which, before, after) = (Door.CallerOf(context), Shown(what), Shown(old), Shown(now));
        Log.Changed(log, who, which, before, after);
    }

    private static string Shown(string text)
    {
        var line = string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter));
        return line.Length > MostShown ? $"{line[..MostShown]}…" : line;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2001, EventName = "Changed", Level = LogLevel.Information, SkipEnabledCheck = true,
            Message = "Administration by {Who}: {What}: {Old} -> {New}")]
        public static partial void Changed(ILogger logger, string who, string what, string old, string @new);
    }
}
