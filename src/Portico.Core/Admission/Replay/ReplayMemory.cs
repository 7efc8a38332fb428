using Microsoft.Extensions.Logging;
using Portico.Core.Background;
using Portico.Core.Diagnostics;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// Has this been seen before? The sets of what was seen, over restarts and kills: all is in memory, and written to files within half a
/// second by a thread of its own (docs/adr/0012).
/// </summary>
internal sealed partial class ReplayMemory : IDisposable
{
    /// <summary>Is there while a process runs. What it holds does not matter.</summary>
    public const string RunningName = DataDirectoryVersion.RunningName;

    // What was seen this shortly before a kill may not have been written. The writer waits for half a second; a loaded machine for longer.
    private const int LostSeconds = 2;

    // Signed at whatever time.
    private const long Anything = 0;

    private readonly ReplaySettings _settings;
    private readonly TimeWindowSettings _window;
    private readonly string _directory;
    private readonly ProxyMetrics _metrics;
    private readonly ILogger _log;
    private readonly LineLimit _evictions = new(LineLimit.MinuteMs);
    private readonly LineLimit _failures = new(LineLimit.MinuteMs);
    private readonly ReplaySet? _seen;
    private readonly UnsetClockSet? _unset;
    private readonly SeenJournal? _journal;
    private readonly SeenJournal? _unsetJournal;
    private readonly long _clockOffset;
    private readonly RefusedHellos? _refused;
    private readonly bool _isCopy;
    private SeenWriter? _writer;
    private bool _isMarked;
    private volatile bool _isMoving;
    private volatile IReplaySuccessor? _successor;

    /// <param name="settings">Replay, time window and data directory count, and whether the secret is new.</param>
    /// <param name="loggers">For what an operator must know.</param>
    /// <param name="metrics">Counts what is forgotten too early.</param>
    /// <param name="unixSeconds">The start of this process.</param>
    /// <param name="now">Seconds of the loops' clock.</param>
    public ReplayMemory(ProxySettings settings, ILoggerFactory loggers, ProxyMetrics metrics, long unixSeconds, long now)
    {
        (_settings, _window, _directory, _metrics) = (settings.Replay, settings.TimeWindow, settings.DataDirectory, metrics);
        _log = loggers.CreateLogger<ReplayMemory>();
        _clockOffset = unixSeconds - now;
        if (_window is { Enabled: true, AcceptUnsetClock: true })
        {
            UnsetClockSet? unset = null;
            if (IsKept)
                _unsetJournal = Load(ReplayFiles.UnsetClockName, () => ReplayFiles.LoadUnset(_directory, out unset))?.Journal;
            _unset = unset ?? new UnsetClockSet(ReplaySet.NewKey());
        }

        if (!_settings.Enabled) return;
        ReplaySet? seen = null;
        ReplayFiles? files = null;
        var wasRunning = IsKept && File.Exists(Path.Combine(_directory, RunningName));
        if (IsKept)
        {
            files = Load(ReplayFiles.SeenName, () => ReplayFiles.Load(_directory, _settings, unixSeconds, now, CreateSet, out seen));
            _journal = files?.Journal;
        }

        _seen = seen ?? CreateSet(ReplaySet.NewKey());
        if (!IsKept || !_window.Enabled) return;
        _refused = RefusedHellos.Read(_directory, unixSeconds, _window.PastSeconds);
        var left = _refused.SecondsLeft(unixSeconds);
        if (left > 0) Log.StillRefused(_log, left);
        _isCopy = CopyMark.IsThere(_directory);
        if (RefusedFrom(files, wasRunning, settings.HasNewSecret) is not { } from) return;
        // A process that was there a moment ago may have let in what is signed in this second.
        var before = wasRunning || _isCopy ? unixSeconds + 1 : unixSeconds;
        _refused.Add(from == Anything ? from : unixSeconds - from, before);
    }

    // Since how many seconds before the start nothing is known of whom an earlier process let in, and why; null = everything is.
    private long? RefusedFrom(ReplayFiles? files, bool wasRunning, bool hasNewSecret)
    {
        if (_isCopy)
        {
            Log.IsCopy(_log, _window.PastSeconds);
            return Anything;
        }

        if (files is { WasThere: true, IsDamaged: false })
        {
            if (!wasRunning) return null;
            Log.WasKilled(_log, LostSeconds);
            return LostSeconds;
        }

        // Nothing is known of an earlier process. With a secret that is new there was none; another may have let in what was signed
        // before this.
        if (hasNewSecret && !wasRunning) return null;
        if (wasRunning || files is null or { IsDamaged: true }) Log.Lost(_log, _window.PastSeconds);
        return Anything;
    }

    /// <summary>Of both sets.</summary>
    public ReplayFigures Figures => new(
        (_seen?.Items ?? 0) + (_unset?.Items ?? 0),
        _seen is null ? 0 : _settings.MaxItems,
        (_seen?.Bytes ?? 0) + (_unset?.Bytes ?? 0),
        _seen is null ? 0 : _settings.MaxBytes,
        (_journal?.Bytes ?? 0) + (_unsetJournal?.Bytes ?? 0),
        _journal is null ? 0 : _settings.MaxDiskBytes,
        Unsaved);

    private long Unsaved => (_journal?.Dropped ?? 0) + (_unsetJournal?.Dropped ?? 0);

    private SeenJournal[] Journals => [.. new[] { _journal, _unsetJournal }.OfType<SeenJournal>()];

    private bool IsKept => _directory.Length > 0;

    /// <summary>From here on files are written, and an end that is not orderly leaves a trace.</summary>
    public void MarkRunning()
    {
        var journals = Journals;
        if (journals.Length == 0) return;
        KeepRefused(); // before what it follows from is overwritten
        foreach (var journal in journals)
        {
            if (journal.Write(sync: false) is { } problem) Failed(problem);
        }

        if (_journal is not null)
        {
            _isMarked = true;
            // It outlives a kill in the system's memory, and needs no disk before the first client: a power cut loses seconds either way.
            if (KeptFile.Replace(_directory, RunningName, _ => { }, isDurable: false) is { } problem)
                Log.NotMarked(_log, RunningName, problem);
        }

        _writer = new SeenWriter(journals, Failed);
    }

    // A mark that was on the disk is not taken away for one that is not.
    private void KeepRefused()
    {
        if (_refused is null) return;
        if (_refused.Keep(_directory, isDurable: _isCopy) is { } problem)
            Log.NotMarked(_log, RefusedHellos.Name, problem);
        else if (_isCopy && KeptFile.Remove(_directory, CopyMark.Name) is { } ofCopy)
            Log.NotMarked(_log, CopyMark.Name, ofCopy);
    }

    /// <summary>Remembers a signed hello whose time is right.</summary>
    /// <param name="beginning">Its <c>HelloDigest.ReplayFingerprint</c>.</param>
    /// <param name="timestamp">When it was signed, Unix seconds by the client's clock.</param>
    /// <param name="now">Seconds of the loops' clock.</param>
    /// <param name="refusal">Why it may not come in.</param>
    public bool TryEnterHello(ReadOnlySpan<byte> beginning, uint timestamp, long now, out CloseReason refusal)
    {
        refusal = CloseReason.ReplaySessionDetected;
        if (_successor is { } successor)
            return successor.TryEnterHello(beginning, timestamp, out refusal);
        var isUnset = _unset is not null && TimeWindow.IsUnsetClock(timestamp);
        // The time of a hello can be changed (see the fingerprint): whichever set it is in, it is a replay.
        if (_unset is not null && _unset.Contains(beginning)) return false;
        if (!isUnset && _refused?.Contains(timestamp, now + _clockOffset) == true)
        {
            // One that is known is told by its name all the same.
            if (_seen is null || !_seen.Contains(beginning)) refusal = CloseReason.TlsBeforeStart;
            return false;
        }

        if (!TryAdd(beginning, now)) return false;
        if (!isUnset) return true;
        if (!_unset!.TryAdd(beginning, out var item))
        {
            refusal = CloseReason.TlsTime;
            return false;
        }

        Keep(_unsetJournal, item, now);
        return true;
    }

    /// <summary>Remembers the header of a client without TLS.</summary>
    /// <param name="beginning">Its <c>ObfuscatedHeader.ReplayFingerprint</c>.</param>
    /// <param name="now">Seconds of the loops' clock.</param>
    /// <param name="refusal">Why it may not come in.</param>
    public bool TryEnterHeader(ReadOnlySpan<byte> beginning, long now, out CloseReason refusal)
    {
        refusal = CloseReason.ReplaySessionDetected;
        return _successor is { } successor ? successor.TryEnterHeader(beginning, out refusal) : TryAdd(beginning, now);
    }

    /// <summary>Whether a client of ours began like this before.</summary>
    /// <param name="beginning">Of a hello; as with <see cref="TryEnterHello"/>.</param>
    public bool Knows(ReadOnlySpan<byte> beginning) =>
        (_seen is not null && _seen.Contains(beginning)) || (_unset is not null && _unset.Contains(beginning));

    /// <summary>Nobody may enter until it is known who remembers: what was seen is on its way to another process.</summary>
    public bool IsMoving => _isMoving;

    /// <summary>The part of a move that may take time, while everybody still enters. <see cref="MarkRunning"/> takes it back.</summary>
    /// <returns>Null, or why there can be none.</returns>
    public string? PrepareToMove()
    {
        if (Unsaved > 0)
            return $"of {Unsaved} clients nothing is in the files, which could not be written for a while";
        var writer = _writer;
        _writer = null;
        return writer?.TryStop() == false ? "the disk does not answer" : null;
    }

    /// <summary>
    /// From here on nobody enters until <see cref="Follow"/> or <see cref="Resume"/>. Every loop must have had a turn before
    /// <see cref="LetGo"/>, or one of them may be in the middle of remembering.
    /// </summary>
    public void Hold() => _isMoving = true;

    /// <summary>What was seen is for another process to read: all of it is in the files, which are closed.</summary>
    /// <returns>Null, or why it could not be written.</returns>
    public string? LetGo()
    {
        foreach (var journal in Journals)
        {
            if (journal.LetGo() is { } problem) return problem;
        }

        // The end of the other one will be no kill of ours.
        return _isMarked ? KeptFile.Remove(_directory, RunningName) : null;
    }

    /// <summary>It has been read: from here on the other process remembers, and is asked whenever somebody wants to enter here.</summary>
    public void Follow(IReplaySuccessor successor)
    {
        _isMarked = false; // the files are no longer ours
        _successor = successor;
        _isMoving = false;
    }

    /// <summary>It went wrong: this process remembers again, and in the files too after <see cref="MarkRunning"/>.</summary>
    /// <param name="lostSinceUnix">
    /// Since when the other process may have let somebody in, of whom nothing is known here; null = it has let in nobody.
    /// </param>
    /// <param name="unixSeconds">The present.</param>
    public void Resume(long? lostSinceUnix, long unixSeconds)
    {
        if (lostSinceUnix is { } since) _refused?.Add(since - LostSeconds, unixSeconds + 1);
        _isMoving = false;
    }

    /// <summary>Seconds of the loops' clock at a time, Unix seconds.</summary>
    public long ClockAt(long unixSeconds) => unixSeconds - _clockOffset;

    /// <summary>A drain begins: what is known goes onto the disk now, since it may end with a kill.</summary>
    public void SaveSoon() => _writer?.SyncSoon();

    /// <summary>An orderly stop, or a start that failed. The loops have ended.</summary>
    public void Dispose()
    {
        _writer?.Dispose();
        var isSaved = true;
        foreach (var journal in Journals)
        {
            if (_isMarked && journal.Close() is { } problem)
            {
                isSaved = false;
                Log.NotSaved(_log, _directory, problem, journal.Dropped);
            }

            journal.Dispose();
        }

        if (_isMarked && isSaved && KeptFile.Remove(_directory, RunningName) is { } other)
            Log.NotMarked(_log, RunningName, other);
    }

    private ReplaySet CreateSet(byte[] key) => new(_settings, Evicted, key);

    private bool TryAdd(ReadOnlySpan<byte> beginning, long now)
    {
        if (_seen is null) return true;
        if (!_seen.TryAdd(beginning, now, out var item)) return false;
        Keep(_journal, item, now);
        return true;
    }

    private void Keep(SeenJournal? journal, ulong item, long now)
    {
        if (journal is not null && journal.Add(item, now + _clockOffset)) _writer?.Wake();
    }

    private ReplayFiles? Load(string name, Func<ReplayFiles> load)
    {
        ReplayFiles? files = null;
        var problem = KeptFile.Guard(() => files = load());
        if (problem is not null) Log.NotRead(_log, Path.Combine(_directory, name), problem);
        else if (files!.IsDamaged) Log.NotWhole(_log, Path.Combine(_directory, name));
        return files;
    }

    private void Failed(string problem)
    {
        if (_failures.TryPass(Environment.TickCount64, out _))
            Log.NotSaved(_log, _directory, problem, Unsaved);
    }

    private void Evicted(int items, long seconds)
    {
        var isYoung = seconds < _window.PastSeconds + _window.FutureSeconds;
        _metrics.ReplayEvicted(items, isYoung);
        if (isYoung && _evictions.TryPass(Environment.TickCount64, out var leftOut))
            Log.ForgottenEarly(_log, items, seconds, leftOut);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1601, EventName = "WasKilled", Level = LogLevel.Information,
            Message = "The last process did not stop in order. What it saw of clients is known, but for its last moment: "
                + "hellos signed in the {Seconds} s before this start are refused")]
        public static partial void WasKilled(ILogger logger, int seconds);

        [LoggerMessage(EventId = 1602, EventName = "NotMarked", Level = LogLevel.Warning,
            Message = "{Name} in the data directory could not be replaced or removed, {Problem}")]
        public static partial void NotMarked(ILogger logger, string name, string problem);

        [LoggerMessage(EventId = 1603, EventName = "NotWhole", Level = LogLevel.Warning,
            Message = "{Path}.*: parts are damaged or of another version and are ignored")]
        public static partial void NotWhole(ILogger logger, string path);

        [LoggerMessage(EventId = 1604, EventName = "NotRead", Level = LogLevel.Warning, Message = "{Path}.* could not be read, {Problem}")]
        public static partial void NotRead(ILogger logger, string path, string problem);

        [LoggerMessage(EventId = 1605, EventName = "ForgottenEarly", Level = LogLevel.Warning,
            Message = "Replay memory is full: {Items} beginnings were forgotten after {Seconds} s, within the time window, "
                + "so recorded ones of them work again; raise replay.maxItems or replay.maxMemoryMb. Left out before this: {LeftOut}")]
        public static partial void ForgottenEarly(ILogger logger, int items, long seconds, long leftOut);

        [LoggerMessage(EventId = 1606, EventName = "NotSaved", Level = LogLevel.Warning,
            Message = "What was seen of clients cannot be written to {Directory}, {Problem}; it is remembered in memory and tried again "
                + "each second. {Unsaved} will not be known after a restart")]
        public static partial void NotSaved(ILogger logger, string directory, string problem, long unsaved);

        [LoggerMessage(EventId = 1608, EventName = "IsCopy", Level = LogLevel.Information,
            Message = "The data directory is a copy, and what its original saw of clients later is not known here: for {Seconds} s, "
                + "hellos signed before this start are refused")]
        public static partial void IsCopy(ILogger logger, long seconds);

        [LoggerMessage(EventId = 1609, EventName = "StillRefused", Level = LogLevel.Information,
            Message = "For {Seconds} s more, hellos are refused that an earlier process may have let in without leaving a trace")]
        public static partial void StillRefused(ILogger logger, long seconds);

        [LoggerMessage(EventId = 1607, EventName = "Lost", Level = LogLevel.Warning,
            Message = "What earlier processes saw of clients is lost, all or in part: "
                + "for {Seconds} s, hellos signed before this start are refused")]
        public static partial void Lost(ILogger logger, int seconds);
    }
}
