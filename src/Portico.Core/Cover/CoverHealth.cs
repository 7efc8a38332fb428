using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Cover;

/// <summary>
/// Tells the operator that the site which strangers see cannot be reached, and that it works again. Shared by all loops. Only for a site
/// that the operator named: what a stranger names need not exist.
/// </summary>
internal sealed partial class CoverHealth(CoverSettings settings, Shortages shortages, ILogger log)
{
    private readonly Outage _outage = new();

    /// <summary>The operator was told that it cannot be reached, and not yet that it can.</summary>
    public bool IsUnreachable => _outage.IsTold;

    /// <summary>No connection came about.</summary>
    /// <param name="why">What was the matter, for the operator.</param>
    /// <param name="nowMs">Monotonic.</param>
    public void Failed(string why, long nowMs)
    {
        if (settings.Target is { } target && _outage.Failed(nowMs, out var strangers))
            Log.Unreachable(log, target, why, strangers);
    }

    /// <summary>None of its addresses took a connection, or none in time.</summary>
    /// <param name="race">With the ends of its attempts.</param>
    /// <param name="nowMs">Monotonic.</param>
    public void Failed(ConnectRace race, long nowMs)
    {
        if (race.OwnWant is { } want) shortages.Note(want, nowMs);
        else if (settings.Target is { } target && _outage.Failed(nowMs, out var strangers))
            Log.Unreachable(log, target, race.Describe(), strangers);
    }

    /// <summary>A connection stands.</summary>
    public void Worked()
    {
        if (settings.Target is { } target && _outage.Worked(out var strangers))
            Log.Reachable(log, target, strangers);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1611, EventName = "CoverUnreachable", Level = LogLevel.Warning,
            Message = "The cover {Target} cannot be reached ({Why}): strangers are closed without a byte until it works again, which a "
                + "prober can tell from a site; so far {Strangers}")]
        public static partial void Unreachable(ILogger logger, CoverTarget target, string why, long strangers);

        [LoggerMessage(EventId = 1612, EventName = "CoverReachable", Level = LogLevel.Information,
            Message = "The cover {Target} can be reached again; strangers closed meanwhile: {Strangers}")]
        public static partial void Reachable(ILogger logger, CoverTarget target, long strangers);
    }
}
