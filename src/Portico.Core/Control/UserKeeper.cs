using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Users;

namespace Portico.Core.Control;

/// <summary>
/// Looks after users beside the loops, on a thread of its own: what time alone changes (a user expires, a period begins) within half a
/// second, and what was counted is kept every ten. A store that fails costs nothing but what it would have kept: counting and limits go
/// on from memory.
/// </summary>
internal sealed partial class UserKeeper : IDisposable
{
    /// <summary>How often counters are kept: so much may be lost when the process is killed.</summary>
    public static readonly TimeSpan FlushPeriod = TimeSpan.FromSeconds(10);

    private const int LoadAttempts = 4;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private readonly IUserStore? _store;
    private readonly UsageLedger _ledger;
    private readonly Func<IEnumerable<UserRecord>> _users;
    private readonly ProxyMetrics _metrics;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly BlockingCollection<Action> _work = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<UsageKey, UsageRow> _unsaved = [];
    private readonly Dictionary<string, StoredUser?> _unsavedUsers = new(StringComparer.Ordinal);
    private readonly UserDeadlines _deadlines;
    private readonly LineLimit _failures = new(LineLimit.MinuteMs);
    private DateTimeOffset _nextFlush;
    private long _unsavedRevision;
    private long _received;
    private long _sent;
    private bool _hasStarted;
    private volatile bool _isHandedOver;

    /// <summary>Nothing is done before <see cref="Start"/>.</summary>
    /// <param name="store">Where it is kept; null = nowhere.</param>
    /// <param name="ledger">What moved.</param>
    /// <param name="users">All users there are.</param>
    /// <param name="zone">In whose days periods are counted.</param>
    /// <param name="metrics">Counts what a store cannot do.</param>
    /// <param name="log">For the operator.</param>
    /// <param name="time">The clock.</param>
    public UserKeeper(
        IUserStore? store, UsageLedger ledger, Func<IEnumerable<UserRecord>> users, TimeZoneInfo zone, ProxyMetrics metrics, ILogger log,
        TimeProvider time)
    {
        (_store, _ledger, _users, _metrics, _log, _time) = (store, ledger, users, metrics, log, time);
        _deadlines = new UserDeadlines(users, zone, time);
        _nextFlush = time.GetUtcNow() + FlushPeriod;
        Kept = Load();
        var everybody = ledger.Claim(UsageKey.Everybody) ?? default;
        (_received, _sent) = (everybody.Received, everybody.Sent);
    }

    /// <summary>What an earlier process kept.</summary>
    public StoredState Kept { get; private set; }

    /// <summary>The users of <see cref="Kept"/> are taken over: only its epoch and revision are needed still.</summary>
    public void Restored() => Kept = Kept with { Users = [], Usage = [] };

    /// <summary>Bytes of all users in the counters' epoch, as of the last time that they were kept.</summary>
    public (long Received, long Sent) Everybody => (Interlocked.Read(ref _received), Interlocked.Read(ref _sent));

    /// <summary>Why the last thing was not kept; null = it was.</summary>
    public string? Problem { get; private set; }

    /// <summary>In the operator's time zone.</summary>
    public DateOnly Today => _deadlines.Today;

    /// <summary>Begins to look after them.</summary>
    public void Start()
    {
        _hasStarted = true;
        new Thread(Run) { Name = "portico-users", IsBackground = true }.Start();
    }

    /// <summary>Users, terms or the time zone are others: what is due next is looked for again.</summary>
    public void Changed(TimeZoneInfo zone) => _deadlines.Changed(zone);

    /// <summary>Keeps a change of the managed users.</summary>
    /// <returns>Why it is not kept, and will be tried again; null = it is.</returns>
    public async Task<string?> SaveUsersAsync(long revision, IReadOnlyCollection<StoredUser> put, IReadOnlyCollection<string> removed)
    {
        if (_store is null) return "there is no place to keep it";
        string? notKept = "the proxy has ended";
        await DoAsync(() =>
        {
            foreach (var user in put) _unsavedUsers[user.Name] = user;
            foreach (var name in removed)
            {
                _unsavedUsers[name] = null;
                _unsaved.Remove(UsageKey.OfManaged(name));
            }

            _unsavedRevision = revision;
            SaveUsers();
            notKept = _unsavedUsers.Count > 0 ? Problem : null;
        }).ConfigureAwait(false);
        return notKept;
    }

    /// <summary>Another process keeps users by now.</summary>
    public bool IsHandedOver => _isHandedOver;

    /// <summary>Keeps what was counted until now.</summary>
    /// <param name="also">Users whose period was changed by hand.</param>
    /// <returns>False if that is another process's by now, or nobody's any more.</returns>
    public async Task<bool> FlushAsync(params IReadOnlyCollection<UserRecord> also)
    {
        var isOurs = false;
        await DoAsync(() =>
        {
            if (_isHandedOver) return;
            isOurs = true;
            foreach (var user in also) _unsaved[user.Key] = user.ToRow();
            Flush();
        }).ConfigureAwait(false);
        return isOurs;
    }

    /// <summary>Traffic by hours and days.</summary>
    /// <exception cref="StoreException">It cannot be read now.</exception>
    public async Task<UsageHistory> HistoryAsync(UsageKey key)
    {
        var history = new UsageHistory([], []);
        if (_store is not null)
            await DoAsync(() => history = _store.History(key)).ConfigureAwait(false);
        return history;
    }

    /// <summary>
    /// What was counted is kept, and nothing more: another process is about to read it. Until <see cref="TakeBackAsync"/>, or until
    /// <see cref="ReleaseAsync"/> gives that process what is counted meanwhile.
    /// </summary>
    /// <returns>Why it must not be, as the next process would miss something; null = it may.</returns>
    public async Task<string?> HandOverAsync()
    {
        string? problem = null;
        await DoAsync(() =>
        {
            Flush();
            if (_store is null) return;
            if (_unsaved.Count > 0 || _unsavedUsers.Count > 0)
            {
                problem = Problem ?? "something is not kept yet";
                return;
            }

            Guard(_store.MarkClean);
            _store.Dispose();
            _isHandedOver = true;
        }).ConfigureAwait(false);
        return problem;
    }

    /// <summary>No other process took over.</summary>
    public Task TakeBackAsync() => DoAsync(() => _isHandedOver = false);

    /// <summary>The last things are kept, and the store is closed.</summary>
    public async Task ReleaseAsync()
    {
        if (_work.IsAddingCompleted) return;
        try
        {
            _work.Add(Close);
            _work.CompleteAdding();
        }
        catch (InvalidOperationException)
        {
            return; // somebody else was quicker
        }

        if (!_hasStarted) Run();
        await _ended.Task.ConfigureAwait(false);
    }

    public void Dispose() => _work.Dispose();

    private Task DoAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            _work.Add(() =>
            {
                try
                {
                    action();
                    done.SetResult();
                }
                catch (Exception error)
                {
                    done.SetException(error);
                }
            });
        }
        catch (InvalidOperationException)
        {
            done.SetResult(); // it is over: the last things were kept by whoever ended it
        }

        return done.Task;
    }

    private void Run()
    {
        while (!_work.IsCompleted)
        {
            try
            {
                if (_work.TryTake(out var action, Tick)) action();
                if (!_work.IsAddingCompleted) Look();
            }
            catch (Exception error) when (!EventLoop.IsFatal(error))
            {
                Log.Faulted(_log, error); // of one look: the next may do better
            }
        }

        _ended.SetResult();
    }

    private void Look()
    {
        var now = _time.GetUtcNow();
        if (_deadlines.Look(now, turned => _unsaved[turned.Key] = turned.ToRow()))
            _ledger.SomeoneMustGo();
        // A clock that was set back would keep it waiting.
        if (now < _nextFlush && _nextFlush - now <= FlushPeriod) return;
        _nextFlush = now + FlushPeriod;
        if (!_isHandedOver) Flush();
    }

    private void Flush()
    {
        TakeLate();
        var moved = _ledger.TakeMoved();
        foreach (var user in moved.Keys.Concat(_ledger.TakePeriods()).Where(user => !user.IsForgotten)) _unsaved[user.Key] = user.ToRow();
        Add(moved.Values.Sum(it => it.Received), moved.Values.Sum(it => it.Sent));
        if (_store is null)
        {
            _unsaved.Clear();
            return;
        }

        if (_unsavedUsers.Count > 0) SaveUsers();
        if (_unsaved.Count == 0) return;
        Guard(() =>
        {
            _store.SaveUsage(_unsaved.Values, _time.GetUtcNow());
            _unsaved.Clear();
        });
    }

    private void Add(long received, long sent)
    {
        if (received + sent == 0) return;
        Interlocked.Add(ref _received, received);
        Interlocked.Add(ref _sent, sent);
        _unsaved[UsageKey.Everybody] = new UsageRow(UsageKey.Everybody, _received, _sent, 0, 0, 0);
    }

    // What the process before this one counted after it had handed over.
    private void TakeLate()
    {
        if (_store is null) return;
        IReadOnlyCollection<UsageRow> late = [];
        Guard(() => late = _store.TakeLate());
        if (late.Count == 0) return;
        var users = _users().DistinctBy(user => user.Key).ToDictionary(user => user.Key);
        foreach (var row in late)
        {
            if (row.Key == UsageKey.Everybody)
            {
                Add(row.Received, row.Sent);
            }
            else if (users.TryGetValue(row.Key, out var user))
            {
                user.AddLate(row);
                _unsaved[user.Key] = user.ToRow();
            }
        }
    }

    private void SaveUsers() => Guard(() =>
    {
        _store!.SaveUsers(
            _unsavedRevision, [.. _unsavedUsers.Values.OfType<StoredUser>()],
            [.. _unsavedUsers.Where(it => it.Value is null).Select(it => it.Key)]);
        _unsavedUsers.Clear();
    });

    private void Close()
    {
        if (_isHandedOver)
        {
            GiveLate();
            return;
        }

        Flush();
        if (_store is null) return;
        Guard(_store.MarkClean);
        _store.Dispose();
    }

    // The file is another process's by now, which adds this to what it counts itself.
    private void GiveLate()
    {
        if (_store is null) return;
        var moved = _ledger.TakeMoved();
        var rows = moved.Where(it => !it.Key.IsForgotten)
            .Select(it => new UsageRow(it.Key.Key, it.Value.Received, it.Value.Sent, 0, 0, it.Key.LastSeen))
            .Append(new UsageRow(UsageKey.Everybody, moved.Values.Sum(it => it.Received), moved.Values.Sum(it => it.Sent), 0, 0, 0))
            .ToList();
        if (moved.Count > 0) Guard(() => _store.AddLate(rows));
    }

    private StoredState Load()
    {
        var state = new StoredState("", 0, [], []);
        if (_store is null) return state;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                state = _store.Load();
                _ledger.Restore(state.Usage);
                return state;
            }
            catch (StoreException) when (attempt < LoadAttempts)
            {
                // Somebody copies it, perhaps: each attempt waits for a while by itself.
            }
            catch (StoreException problem)
            {
                Problem = problem.Message;
                _metrics.StorageError();
                Log.NotRead(_log, problem.Message);
                return state;
            }
        }
    }

    private void Guard(Action action)
    {
        try
        {
            action();
            Problem = null;
        }
        catch (StoreException problem)
        {
            Problem = problem.Message;
            _metrics.StorageError();
            var nowMs = (long)_time.GetElapsedTime(0).TotalMilliseconds;
            if (_failures.TryPass(nowMs, out _)) Log.NotKept(_log, problem.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2403, EventName = "UsersNotRead", Level = LogLevel.Error,
            Message = "Managed users cannot be read: {Problem}. They are left out, and nothing is kept of changes, until a restart")]
        public static partial void NotRead(ILogger logger, string problem);

        [LoggerMessage(EventId = 2404, EventName = "UsersFaulted", Level = LogLevel.Error,
            Message = "An exception of the proxy while it looked after users; please report it")]
        public static partial void Faulted(ILogger logger, Exception error);

        [LoggerMessage(EventId = 2401, EventName = "UsersNotKept", Level = LogLevel.Error,
            Message = "Users and their usage cannot be kept now: {Problem}. Everything goes on from memory, and it is tried again every "
                + "ten seconds")]
        public static partial void NotKept(ILogger logger, string problem);
    }
}
