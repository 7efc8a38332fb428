using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Core.Users;

namespace Portico.Core.Clients;

/// <summary>Tells every ten minutes what went on, if anything did. Runs on the first loop and reads the others' counters.</summary>
/// <param name="loop">The first.</param>
/// <param name="counters">Of every listener that there is now, on every loop.</param>
/// <param name="users">Of every listener that there is now.</param>
/// <param name="sessions">Those that are open.</param>
/// <param name="log">Where lines go.</param>
internal sealed partial class TrafficSummary(
    EventLoop loop, Func<IEnumerable<ListenerCounters>> counters, Func<IEnumerable<ListenerUsers>> users, SessionCount sessions,
    ILogger log) : ILoopTask
{
    private const int PeriodMs = 600_000;

    private Totals _told;

    /// <summary>From now on. On the first loop.</summary>
    public void Begin() => loop.EnqueueAt(loop.NowMs + PeriodMs, this);

    public void Run()
    {
        Begin();
        var now = default(Totals);
        foreach (var listener in counters())
        {
            now.Clients += listener.Clients;
            now.Strangers += listener.Strangers;
            now.EarlyEnds += listener.EarlyEnds;
            now.Received += listener.ClientReceived;
            now.Sent += listener.ClientSent;
        }

        var came = users().Sum(listener => listener.TakeLately());
        var before = _told;
        _told = now;
        if (now == before) return;
        var grown = now.Since(before);
        Log.Summary(log, grown.Clients, came, grown.Received, grown.Sent, grown.Strangers, grown.EarlyEnds, sessions.Value);
    }

    // What cannot be written cannot be told either.
    public void OnFault(Exception error)
    {
    }

    private record struct Totals(long Clients, long Strangers, long EarlyEnds, long Received, long Sent)
    {
        // A listener that was taken away took its sums along.
        public readonly Totals Since(Totals before) => new(
            Math.Max(Clients - before.Clients, 0), Math.Max(Strangers - before.Strangers, 0), Math.Max(EarlyEnds - before.EarlyEnds, 0),
            Math.Max(Received - before.Received, 0), Math.Max(Sent - before.Sent, 0));
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1105, EventName = "Summary", Level = LogLevel.Information,
            Message = "In ten minutes: {Clients} clients of {Users} users came, {Received} bytes from clients, {Sent} bytes to them; "
                + "{Strangers} strangers refused, {EarlyEnds} early ends; {Open} sessions are open")]
        public static partial void Summary(
            ILogger logger, long clients, int users, long received, long sent, long strangers, long earlyEnds, int open);
    }
}
