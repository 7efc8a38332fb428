using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Backends.Direct;

/// <summary>Tells the operator that a data centre cannot be reached, and that it works again. Shared by all loops.</summary>
internal sealed partial class DcHealth(Shortages shortages, ILogger log)
{
    private readonly ConcurrentDictionary<int, Outage> _outages = new();

    /// <summary>Data centres that the operator was told cannot be reached, and not yet that they can. From any thread.</summary>
    public IEnumerable<int> Unreachable => _outages.Where(outage => outage.Value.IsTold).Select(outage => outage.Key);

    /// <summary>A client was let go, as no connection came about for it.</summary>
    /// <param name="dc">Whose addresses were tried.</param>
    /// <param name="race">With the ends of its attempts.</param>
    /// <param name="nowMs">Monotonic.</param>
    public void Failed(int dc, ConnectRace race, long nowMs)
    {
        if (race.OwnWant is { } want) shortages.Note(want, nowMs);
        else if (_outages.GetOrAdd(dc, static _ => new Outage()).Failed(nowMs, out var clients))
            Log.Unreachable(log, dc, race.Describe(), clients);
    }

    /// <summary>A connection stands.</summary>
    public void Worked(int dc)
    {
        // For each client: empty, or a look at one number, while all is well.
        if (_outages.TryGetValue(dc, out var outage) && outage.Worked(out var clients))
            Log.Reachable(log, dc, clients);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1321, EventName = "DcUnreachable", Level = LogLevel.Warning,
            Message = "DC {Dc} of Telegram cannot be reached ({Why}): clients that want it are let go and try again until it works; "
                + "so far {Clients}")]
        public static partial void Unreachable(ILogger logger, int dc, string why, long clients);

        [LoggerMessage(EventId = 1322, EventName = "DcReachable", Level = LogLevel.Information,
            Message = "DC {Dc} of Telegram can be reached again; clients let go meanwhile: {Clients}")]
        public static partial void Reachable(ILogger logger, int dc, long clients);
    }
}
