using Microsoft.Extensions.Logging;
using Portico.Core.Background;
using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Sessions;

/// <summary>
/// Keeps the process within its memory: looks at the figures once a second, off the loops, tells the loops how short it is, and has them
/// give some back. Accepting goes on whatever they say. One for a process; nothing in it belongs to a generation of settings.
/// </summary>
internal sealed partial class MemoryGovernor : IDisposable
{
    // A look costs 50 us. Where more is in use, all could be before the next look.
    private const int LookMs = 1000, CloseLookMs = 100;
    private const double ClosePercent = 40;

    // A step's effect is to be seen before the next one, but for sockets that are closed in order; what a loop ends in one
    // may take it some ten milliseconds.
    private const int StepMs = 1000, MostPerStep = 1000;

    // How long a level lasts before clients that take nothing are let go, and how long those have taken nothing.
    private const int PressureMs = 5000, PressureStuckMs = 5000, SheddingMs = 2000, SheddingStuckMs = 2000;

    // So long after the last level relays keep to their share at most: a machine that is at rest not far below the mark has to serve, too.
    private const int MostEaseMs = 30_000;

    // So long figures that cannot be had leave all as it is.
    private const int MostUnknownMs = 5000;

    // What sessions may hold in all while memory is tight: a part of the limit.
    private const int ShareOfLimit = 16;

    // What loops left to the collector since it was last asked to collect, before it is asked again,
    // and how many times as long as that took has to pass.
    private const long WorthCollecting = 4 * 1024 * 1024, PausesBetween = 100;

    private readonly IReadOnlyList<EventLoop> _loops;
    private readonly SessionCount _sessions;
    private readonly ProxyMetrics _metrics;
    private readonly ILogger _log;
    private readonly Action _collect;
    private readonly IDisposable? _source;
    private readonly LineLimit _lines = new(LineLimit.MinuteMs);
    private readonly long[] _since = new long[(int)MemoryLevel.Full + 1];
    private readonly Lock _gate = new();
    private Func<MemoryFigures> _read;
    private TimeProvider? _time;
    private ITimer? _timer;
    private long _startTimestamp;
    private long _stepMs = long.MinValue / 2;
    private long _collectMs = long.MinValue / 2;
    private long _left;
    private long _pauseMs;
    private long _normalMs;
    private long _knownMs = long.MinValue / 2;
    private long _used;
    private long _limit;
    private byte _level;
    private bool _isShort;
    private bool _isTold;
    private bool _isOver;

    /// <param name="loops">All there are.</param>
    /// <param name="read">Where the figures come from.</param>
    /// <param name="sessions">Those that are open.</param>
    /// <param name="metrics">Counts who had to go.</param>
    /// <param name="log">For lines to the operator.</param>
    /// <param name="collect">Gives what is dead on the heap back to the system.</param>
    /// <param name="source">Behind <paramref name="read"/>, to be disposed of with this.</param>
    public MemoryGovernor(
        IReadOnlyList<EventLoop> loops, Func<MemoryFigures> read, SessionCount sessions, ProxyMetrics metrics, ILogger log, Action collect,
        IDisposable? source = null)
    {
        (_loops, _read, _sessions, _metrics, _log, _collect, _source) = (loops, read, sessions, metrics, log, collect, source);
    }

    /// <summary>What it went by last.</summary>
    public (long Used, long Limit) Figures => (Volatile.Read(ref _used), Volatile.Read(ref _limit));

    /// <summary>How short memory is.</summary>
    public MemoryLevel Level => (MemoryLevel)Volatile.Read(ref _level);

    /// <summary>For tests: other figures from now on.</summary>
    public Func<MemoryFigures> Source
    {
        get => Volatile.Read(ref _read);
        set => Volatile.Write(ref _read, value);
    }

    /// <summary>Looks from now on.</summary>
    public void Start(TimeProvider time)
    {
        _time = time;
        _startTimestamp = time.GetTimestamp();
        lock (_gate)
            _timer = time.CreateTimer(_ => LookAndComeBack(), null, TimeSpan.FromMilliseconds(LookMs), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Looks once: what the timer does.</summary>
    /// <param name="nowMs">Of a clock that stands still for nobody.</param>
    public void Look(long nowMs)
    {
        var figures = Source();
        if (IsWorthCollecting(figures, nowMs))
        {
            _collectMs = nowMs;
            _left = Left();
            var began = _time?.GetTimestamp() ?? 0;
            _collect();
            _pauseMs = (long)(_time?.GetElapsedTime(began).TotalMilliseconds ?? 0);
            figures = Source();
        }

        // A look that saw nothing is no relief; after some of them nobody is held back for what nobody knows.
        if (figures.Limit > 0) _knownMs = nowMs;
        else if (nowMs - _knownMs < MostUnknownMs) return;
        Take(figures, nowMs);
    }

    /// <summary>No look begins after this.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isOver) return;
            _isOver = true;
            _timer?.Dispose();
            _source?.Dispose();
        }
    }

    private void LookAndComeBack()
    {
        lock (_gate)
        {
            if (_isOver) return;
            try
            {
                Look((long)_time!.GetElapsedTime(_startTimestamp).TotalMilliseconds);
            }
            catch (Exception error) when (!EventLoop.IsFatal(error))
            {
                OnFault(error);
            }

            var isClose = Level != MemoryLevel.Normal || new MemoryFigures(_used, _limit, "").Percent >= ClosePercent;
            _timer!.Change(TimeSpan.FromMilliseconds(isClose ? CloseLookMs : LookMs), Timeout.InfiniteTimeSpan);
        }
    }

    private void Take(in MemoryFigures figures, long nowMs)
    {
        Volatile.Write(ref _used, figures.Used);
        Volatile.Write(ref _limit, figures.Limit);
        var before = Level;
        var level = MemoryLevels.Next(before, figures.Percent);
        for (var reached = before + 1; reached <= level; reached++) _since[(int)reached] = nowMs;
        Volatile.Write(ref _level, (byte)level);
        var wasShort = _isShort;
        if (level != MemoryLevel.Normal) _normalMs = nowMs;
        _isShort = level != MemoryLevel.Normal
            || (wasShort && figures.Percent >= MemoryLevels.Ease && nowMs - _normalMs < MostEaseMs);
        if (_isShort || wasShort)
        {
            var share = figures.Limit / ShareOfLimit / Math.Max(1, _sessions.Value);
            foreach (var loop in _loops) loop.Memory.Publish(level, _isShort, (int)Math.Min(share, LoopMemory.MostShare));
        }

        if (level != before) Tell(before, level, figures, nowMs);
        if (level != MemoryLevel.Normal && nowMs - _stepMs >= StepMs) Step(level, figures, nowMs);
    }

    // Down to where all is well again, by equal parts: a loop that cannot give its own leaves it to the next step.
    private void Step(MemoryLevel level, in MemoryFigures figures, long nowMs)
    {
        var enough = (long)(figures.Limit * (MemoryLevels.Target / 100));
        var isShedding = level >= MemoryLevel.Shedding;
        var stuckMs = isShedding && nowMs - _since[(int)MemoryLevel.Shedding] >= SheddingMs ? SheddingStuckMs
            : nowMs - _since[(int)MemoryLevel.Pressure] >= PressureMs ? PressureStuckMs : 0;
        if (figures.Used <= enough || (!isShedding && stuckMs == 0)) return;
        _stepMs = nowMs;
        var bytes = ((figures.Used - enough) / _loops.Count) + 1;
        foreach (var loop in _loops)
            loop.Post(new MemoryShedding(loop, new MemoryDemand(bytes, MostPerStep, isShedding, stuckMs), _metrics, OnFault));
    }

    // Buffers that came back are dead, and nobody allocates who would have the collector look: without it
    // what was given up would count on, and others would go for it.
    private bool IsWorthCollecting(in MemoryFigures figures, long nowMs) =>
        (Level != MemoryLevel.Normal || figures.Percent >= MemoryLevels.Pressure)
        && nowMs - _collectMs >= Math.Max(StepMs - CloseLookMs, PausesBetween * _pauseMs) && Left() - _left >= WorthCollecting;

    private long Left()
    {
        var left = 0L;
        foreach (var loop in _loops) left += loop.Buffers.Left;
        return left;
    }

    private void Tell(MemoryLevel before, MemoryLevel level, in MemoryFigures figures, long nowMs)
    {
        const long Mega = 1024 * 1024;
        var (used, limit, percent) = (figures.Used / Mega, figures.Limit / Mega, (int)figures.Percent);
        if (level == MemoryLevel.Normal)
        {
            if (_isTold) Log.Enough(_log, used, limit, percent, figures.Of);
            _isTold = false;
        }
        else if (level > before && _lines.TryPass(nowMs, out var leftOut))
        {
            _isTold = true;
            Log.Short(_log, used, limit, percent, figures.Of, _sessions.Value, Measure(level), leftOut);
        }
    }

    private static string Measure(MemoryLevel level) => level switch
    {
        MemoryLevel.Pressure => "who holds most is read for slowly",
        MemoryLevel.Shedding => "strangers, connections that show nothing and clients that take nothing are let go",
        _ => "whoever comes now is treated as a stranger",
    };

    private void OnFault(Exception error) => Log.Faulted(_log, error);

    private static partial class Log
    {
        [LoggerMessage(EventId = 1811, EventName = "MemoryShort", Level = LogLevel.Warning,
            Message = "{Used} MB of memory are in use of the {Limit} MB of {Of} ({Percent} %), with {Sessions} sessions: {Measure}. Give "
                + "the container or the machine more (MemoryMax= of the service, --memory of the container), or allow fewer "
                + "(listeners[].maxConnections, cover.maxConnections). Left out before this: {LeftOut}")]
        public static partial void Short(
            ILogger logger, long used, long limit, int percent, string of, int sessions, string measure, long leftOut);

        [LoggerMessage(EventId = 1812, EventName = "MemoryEnough", Level = LogLevel.Information,
            Message = "There is enough memory again: {Used} MB are in use of the {Limit} MB of {Of} ({Percent} %)")]
        public static partial void Enough(ILogger logger, long used, long limit, int percent, string of);

        [LoggerMessage(EventId = 1813, EventName = "MemoryFaulted", Level = LogLevel.Error,
            Message = "Giving memory back ended by an exception of the proxy; please report it")]
        public static partial void Faulted(ILogger logger, Exception error);
    }
}
