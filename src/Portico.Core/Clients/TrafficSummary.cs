using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portico.Core.Net;
using Portico.Core.Sessions;

namespace Portico.Core.Clients;

/// <summary>Tells every ten minutes what went on, if anything did. Runs on the first loop and reads the others' counters.</summary>
/// <param name="loops">All of them.</param>
/// <param name="sessions">Those that are open.</param>
/// <param name="log">Where lines go.</param>
internal sealed partial class TrafficSummary(ImmutableArray<LoopServices> loops, SessionCount sessions, ILogger log) : ILoopTask
{
    private const int PeriodMs = 600_000;

    private Totals _told;

    /// <summary>From now on. On the first loop.</summary>
    public void Begin() => loops[0].Loop.EnqueueAt(loops[0].Loop.NowMs + PeriodMs, this);

    public void Run()
    {
        Begin();
        var now = default(Totals);
        foreach (var counters in loops.SelectMany(loop => loop.Listeners).Select(listener => listener.Counters))
        {
            now.Clients += counters.Clients;
            now.Strangers += counters.Strangers;
            now.EarlyEnds += counters.EarlyEnds;
            now.Received += counters.ClientReceived;
            now.Sent += counters.ClientSent;
        }

        var users = loops[0].Listeners.Sum(listener => listener.Users.TakeLately());
        var before = _told;
        _told = now;
        if (now == before) return;
        Log.Summary(
            log, now.Clients - before.Clients, users, now.Received - before.Received, now.Sent - before.Sent,
            now.Strangers - before.Strangers, now.EarlyEnds - before.EarlyEnds, sessions.Value);
    }

    // What cannot be written cannot be told either.
    public void OnFault(Exception error)
    {
    }

    private record struct Totals(long Clients, long Strangers, long EarlyEnds, long Received, long Sent);

    private static partial class Log
    {
        [LoggerMessage(EventId = 1105, EventName = "Summary", Level = LogLevel.Information,
            Message = "In ten minutes: {Clients} clients of {Users} users came, {Received} bytes from clients, {Sent} bytes to them; "
                + "{Strangers} strangers refused, {EarlyEnds} early ends; {Open} sessions are open")]
        public static partial void Summary(
            ILogger logger, long clients, int users, long received, long sent, long strangers, long earlyEnds, int open);
    }
}
