using Microsoft.Extensions.Logging;
using Portico.Core.Options;

namespace Portico.Core.Cover;

/// <summary>
/// Tells the operator that the site which strangers see cannot be reached: at most once a minute while it lasts, and once when it works again. Shared by all loops. Only
/// for a site that the operator named: what a stranger names need not exist.
/// </summary>
internal sealed partial class CoverHealth(CoverSettings settings, ILogger log)
{
    private const int RepeatMs = 60_000;

    private long _loggedMs = -RepeatMs;
    private volatile bool _isDown;

    /// <summary>No connection came about.</summary>
    /// <param name="why">What was the matter, for the operator.</param>
    public void Failed(string why)
    {
        if (settings.Target is not { } target) return;
        _isDown = true;

        // Every stranger brings a failure about, and they must not fill the disk.
        var (now, last) = (Environment.TickCount64, Interlocked.Read(ref _loggedMs));
        if (now - last < RepeatMs || Interlocked.CompareExchange(ref _loggedMs, now, last) != last) return;
        Log.Unreachable(log, target, why);
    }

    /// <summary>A connection stands.</summary>
    public void Worked()
    {
        if (!_isDown || settings.Target is not { } target) return;
        _isDown = false;
        Interlocked.Exchange(ref _loggedMs, -RepeatMs);
        Log.Reachable(log, target);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1611, EventName = "CoverUnreachable", Level = LogLevel.Warning, Message = "The cover {Target} cannot be reached ({Why}): strangers are closed without a byte until it works again, which a prober can tell from a site")]
        public static partial void Unreachable(ILogger logger, CoverTarget target, string why);

        [LoggerMessage(EventId = 1612, EventName = "CoverReachable", Level = LogLevel.Information, Message = "The cover {Target} can be reached again")]
        public static partial void Reachable(ILogger logger, CoverTarget target);
    }
}
