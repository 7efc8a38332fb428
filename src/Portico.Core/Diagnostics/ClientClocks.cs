using Microsoft.Extensions.Logging;
using Portico.Core.Net;

namespace Portico.Core.Diagnostics;

/// <summary>
/// Clients that know the secret and are refused because their time is not ours. When the clock of this machine is wrong that is all of
/// them, and nothing else would tell. Shared by all loops.
/// </summary>
internal sealed partial class ClientClocks(ILogger log) : ILoopTask
{
    // So many of a minute, which is enough for a median.
    private const int MostDifferences = 64;

    private readonly Lock _gate = new();
    private readonly List<long> _differences = [];
    private EventLoop? _minutesLoop;
    private volatile ClockReport? _last;
    private long _clients;

    /// <summary>What the operator was told last; null = nothing yet.</summary>
    public ClockReport? Last => _last;

    /// <summary>One was refused. The first is told at once, all others once a minute.</summary>
    /// <param name="seconds">By how much its clock is ahead of ours.</param>
    /// <param name="loop">The caller's.</param>
    public void Refused(long seconds, EventLoop loop)
    {
        lock (_gate)
        {
            _clients++;
            if (_differences.Count < MostDifferences) _differences.Add(seconds);
            if (_minutesLoop is not null) return;
            _minutesLoop = loop;
        }

        Run();
    }

    /// <summary>A minute is over.</summary>
    public void Run()
    {
        long clients, seconds;
        EventLoop loop;
        lock (_gate)
        {
            if (_clients == 0)
            {
                _minutesLoop = null;
                return;
            }

            loop = _minutesLoop!;
            _differences.Sort();
            (clients, seconds) = (_clients, _differences[_differences.Count / 2]);
            _differences.Clear();
            _clients = 0;
        }

        _last = new ClockReport(loop.Time.GetUtcNow(), clients, seconds);
        loop.EnqueueAt(loop.NowMs + LineLimit.MinuteMs, this);
        Log.Refused(log, clients, Math.Abs(seconds), seconds < 0 ? "behind" : "ahead of");
    }

    // What cannot be written cannot be told either.
    public void OnFault(Exception error)
    {
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1106, EventName = "ClientClocksDiffer", Level = LogLevel.Warning,
            Message = "{Count} clients with the right secret were refused in the last minute: their time is about {Seconds} s {Direction} "
                + "ours (check the clock of this machine)")]
        public static partial void Refused(ILogger logger, long count, long seconds, string direction);
    }
}
