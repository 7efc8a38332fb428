using Microsoft.Extensions.Logging;
using Portico.Core.Background;
using Portico.Core.Diagnostics;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// Has this been seen before? The sets of what was seen, over restarts. What an orderly stop saved is read at the start and removed at once: if it is not there, the last
/// process was killed, or its data is lost, and then a hello that was signed before the start cannot be told from a replay and is refused (docs/adr/0012).
/// </summary>
internal sealed partial class ReplayMemory
{
    /// <summary>Written at an orderly stop.</summary>
    public const string SeenName = "clients-seen";

    /// <summary>Written whenever there is one more.</summary>
    public const string UnsetClockName = "unset-clock-seen";

    /// <summary>Is there while a process runs. What it holds does not matter.</summary>
    public const string RunningName = "running";

    private const int EvictionLogMs = 60_000;

    private readonly ReplaySettings _settings;
    private readonly TimeWindowSettings _window;
    private readonly string _directory;
    private readonly ProxyMetrics _metrics;
    private readonly ILogger _log;
    private readonly ReplaySet? _seen;
    private readonly UnsetClockSet? _unset;
    private readonly Lock _unsetFile = new();
    private readonly long _refusedBeforeUnix = long.MinValue;
    private readonly long _refusedUntil;
    private readonly bool _hasTaken;
    private long _evictionLoggedMs = -EvictionLogMs;
    private int _unsetSaveQueued;

    /// <param name="settings">Replay, time window and data directory count.</param>
    /// <param name="loggers">For what an operator must know.</param>
    /// <param name="metrics">Counts what is forgotten too early.</param>
    /// <param name="unixSeconds">The start of this process.</param>
    /// <param name="now">Seconds of the loops' clock.</param>
    public ReplayMemory(ProxySettings settings, ILoggerFactory loggers, ProxyMetrics metrics, long unixSeconds, long now)
    {
        (_settings, _window, _directory, _metrics) = (settings.Replay, settings.TimeWindow, settings.DataDirectory, metrics);
        _log = loggers.CreateLogger<ReplayMemory>();
        if (_window is { Enabled: true, AcceptUnsetClock: true })
        {
            _unset = new UnsetClockSet();
            if (IsKept) Read(UnsetClockName, _unset.TryLoad);
        }

        if (!_settings.Enabled) return;
        var wasRunning = IsKept && File.Exists(Path.Combine(_directory, RunningName));
        _hasTaken = IsKept && TryTake(unixSeconds, now, out _seen);
        _seen ??= new ReplaySet(_settings, Evicted);
        if (!IsKept || _hasTaken || !_window.Enabled) return;

        // A process that was there until now may have let somebody in within this very second; of one that nobody knows of, that is not to be expected.
        _refusedBeforeUnix = wasRunning ? unixSeconds + 1 : unixSeconds;
        _refusedUntil = now + _window.PastSeconds;
        if (wasRunning) Log.WasKilled(_log, _window.PastSeconds);
    }

    /// <summary>Beginnings remembered, in both sets.</summary>
    public int Items => (_seen?.Items ?? 0) + (_unset?.Items ?? 0);

    /// <summary>Memory that they take, in bytes.</summary>
    public long Bytes => (_seen?.Bytes ?? 0) + (_unset?.Bytes ?? 0);

    private bool IsKept => _directory.Length > 0;

    /// <summary>From here on an end that is not orderly leaves a trace.</summary>
    public void MarkRunning()
    {
        if (_settings.Enabled && IsKept && KeptFile.Replace(_directory, RunningName, _ => { }) is { } problem) Log.NotKept(_log, RunningName, problem);
    }

    /// <summary>Remembers a signed hello whose time is right.</summary>
    /// <param name="beginning">Its <c>HelloDigest.ReplayFingerprint</c>.</param>
    /// <param name="timestamp">When it was signed, Unix seconds by the client's clock.</param>
    /// <param name="now">Seconds of the loops' clock.</param>
    /// <param name="refusal">Why it may not come in.</param>
    public bool TryEnterHello(ReadOnlySpan<byte> beginning, uint timestamp, long now, out CloseReason refusal)
    {
        refusal = CloseReason.ReplaySessionDetected;
        var isUnset = _unset is not null && TimeWindow.IsUnsetClock(timestamp);
        // The time of a hello can be changed (see the fingerprint): whichever set it is in, it is a replay.
        if (_unset is not null && _unset.Contains(beginning)) return false;
        if (!isUnset && timestamp < _refusedBeforeUnix && now <= _refusedUntil)
        {
            refusal = CloseReason.TlsBeforeStart;
            return false;
        }

        if (_seen is not null && !_seen.TryAdd(beginning, now)) return false;
        if (!isUnset) return true;
        if (!_unset!.TryAdd(beginning))
        {
            refusal = CloseReason.TlsTime;
            return false;
        }

        SaveUnsetSoon();
        return true;
    }

    /// <summary>Remembers the header of a client without TLS. It carries no time: after a kill, the first replay of each gets through.</summary>
    /// <param name="beginning">Its <c>ObfuscatedHeader.ReplayFingerprint</c>.</param>
    /// <param name="now">Seconds of the loops' clock.</param>
    public bool TryEnterHeader(ReadOnlySpan<byte> beginning, long now) => _seen is null || _seen.TryAdd(beginning, now);

    /// <summary>An orderly stop: everything is written. The loops have ended.</summary>
    public void Save(long unixSeconds, long now)
    {
        if (!IsKept) return;
        SaveUnset(unixSeconds);
        if (_seen is null) return;
        var count = 0;
        _seen.ForEach((_, _) => count++);
        var problem = KeptFile.Replace(_directory, SeenName, file => SeenFile.Write(file, _seen.Key, unixSeconds, _seen.Ages(now), _seen.ForEach, count));
        if (problem is not null) Log.NotKept(_log, SeenName, problem);
        else if (KeptFile.Remove(_directory, RunningName) is { } other) Log.NotKept(_log, RunningName, other);
    }

    /// <summary>A start that failed: what was taken goes back, so that the next start finds it.</summary>
    public void PutBack(long unixSeconds, long now)
    {
        if (_hasTaken) Save(unixSeconds, now);
    }

    private bool TryTake(long unixSeconds, long now, out ReplaySet? seen)
    {
        ReplaySet? loaded = null;
        var isThere = Read(SeenName, file => SeenFile.TryRead(
            file,
            (key, writtenUnix, ages) =>
            {
                // A clock that went back in between must not make them younger than they were.
                var passed = Math.Max(0, unixSeconds - writtenUnix);
                loaded = new ReplaySet(_settings, Evicted, key);
                loaded.RestoreAges([.. ages.Select(age => age + passed)], now);
            },
            (item, age) => loaded!.Restore(item, age, now)));
        seen = isThere ? loaded : null;

        // Left there, it would pass for the end of this process as well.
        if (KeptFile.Remove(_directory, SeenName) is { } problem)
        {
            Log.NotKept(_log, SeenName, problem);
            return false;
        }

        return isThere;
    }

    private bool Read(string name, Func<Stream, bool> read)
    {
        var path = Path.Combine(_directory, name);
        try
        {
            if (!File.Exists(path)) return false;
            using var file = File.OpenRead(path);
            if (read(file)) return true;
            Log.NotWhole(_log, path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            Log.NotRead(_log, path, problem is UnauthorizedAccessException ? "permission denied" : problem.Message.ReplaceLineEndings(" "));
        }

        return false;
    }

    // Rare, and gone if the process is killed before it is done: soon means at once, on another thread. Those that come meanwhile go with the next one.
    private void SaveUnsetSoon()
    {
        if (!IsKept || Interlocked.Exchange(ref _unsetSaveQueued, 1) != 0) return;
        ThreadPool.UnsafeQueueUserWorkItem(
            static memory =>
            {
                Interlocked.Exchange(ref memory._unsetSaveQueued, 0);
                memory.SaveUnset(0);
            },
            this,
            preferLocal: false);
    }

    private void SaveUnset(long unixSeconds)
    {
        if (_unset is null) return;
        lock (_unsetFile)
        {
            if (KeptFile.Replace(_directory, UnsetClockName, file => _unset.Save(file, unixSeconds)) is { } problem) Log.NotKept(_log, UnsetClockName, problem);
        }
    }

    private void Evicted(int items, long seconds)
    {
        var isYoung = seconds < _window.PastSeconds + _window.FutureSeconds;
        _metrics.ReplayEvicted(items, isYoung);
        var (nowMs, last) = (Environment.TickCount64, Interlocked.Read(ref _evictionLoggedMs));
        if (!isYoung || nowMs - last < EvictionLogMs || Interlocked.CompareExchange(ref _evictionLoggedMs, nowMs, last) != last) return;
        Log.ForgottenEarly(_log, items, seconds);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1601, EventName = "WasKilled", Level = LogLevel.Warning,
            Message = "The last process did not stop in order, so what it saw of clients is lost: for {Seconds} s, hellos signed before this start are refused")]
        public static partial void WasKilled(ILogger logger, int seconds);

        [LoggerMessage(EventId = 1602, EventName = "NotKept", Level = LogLevel.Warning, Message = "{Name} in the data directory could not be replaced or removed, {Problem}; after the next start hellos signed before it will be refused for a while")]
        public static partial void NotKept(ILogger logger, string name, string problem);

        [LoggerMessage(EventId = 1603, EventName = "NotWhole", Level = LogLevel.Warning, Message = "{Path} is damaged or of another version and is ignored; hellos signed before this start are refused for a while")]
        public static partial void NotWhole(ILogger logger, string path);

        [LoggerMessage(EventId = 1604, EventName = "NotRead", Level = LogLevel.Warning, Message = "{Path} could not be read, {Problem}; hellos signed before this start are refused for a while")]
        public static partial void NotRead(ILogger logger, string path, string problem);

        [LoggerMessage(EventId = 1605, EventName = "ForgottenEarly", Level = LogLevel.Warning,
            Message = "Replay memory is full: {Items} beginnings were forgotten after {Seconds} s, within the time window, so recorded ones of them work again; raise replay.maxItems or replay.maxMemoryMb")]
        public static partial void ForgottenEarly(ILogger logger, int items, long seconds);
    }
}
