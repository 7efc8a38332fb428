using System.Security.Cryptography;
using Portico.Core.Users;
using Portico.Storage.Repair;
using Portico.Storage.Schema;
using Portico.Storage.Sqlite;
using Portico.Storage.Usage;

namespace Portico.Storage;

/// <summary>
/// Managed users, usage and history in the file <see cref="FileName"/> of the data directory (docs/storage.md). Nothing is opened before
/// it is needed: without the file a start touches nothing, and the first call that keeps something makes it.
/// </summary>
public sealed class UserDatabase : IUserStore
{
    /// <summary>The name of the file in the data directory.</summary>
    public const string FileName = DatabaseFile.Name;

    // Nobody calls again when a process has ended.
    private static readonly TimeSpan LatePatience = TimeSpan.FromSeconds(3);

    private readonly string _directory;
    private readonly DatabaseFile _file;
    private readonly Calendar _calendar;
    private readonly TimeZoneInfo _zone;
    private readonly TimeProvider _clock;
    private Connection? _connection;
    private UsageWriter? _writer;
    private HistoryPurge? _purge;
    private string _epoch = "";
    private bool _isLoaded, _isStateKept;
    private string _whyNot = "it was not asked for";

    /// <param name="directory">The data directory, which this process owns. Made when there is something to keep.</param>
    /// <param name="zone">Whose days the history has.</param>
    /// <param name="clock">Says what history is shown now.</param>
    public UserDatabase(string directory, TimeZoneInfo zone, TimeProvider clock)
        : this(directory, zone, clock, DatabaseSchema.OfThisProgram)
    {
    }

    internal UserDatabase(string directory, TimeZoneInfo zone, TimeProvider clock, DatabaseSchema schema) =>
        (_directory, _file, _zone, _calendar, _clock) = (directory, new DatabaseFile(directory, schema), zone, new Calendar(zone), clock);

    /// <summary>After <see cref="Load"/>: what the operator should hear, in a sentence; null = nothing.</summary>
    public string? Remark { get; private set; }

    /// <summary>Whether a data directory holds the file.</summary>
    public static bool IsThere(string directory) => new DatabaseFile(directory, DatabaseSchema.OfThisProgram).IsThere();

    /// <summary>
    /// For a process that has handed the directory over and went on counting: adds to what the new owner keeps, who takes it with
    /// <see cref="TakeLate"/> or at its next start.
    /// </summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="deltas">What was counted since the last rows that this process kept; quotas' periods do not matter.</param>
    /// <exception cref="StoreException">Nothing was kept; the call may be made again.</exception>
    public static void AddLate(string directory, IReadOnlyCollection<UsageRow> deltas)
    {
        if (deltas.Count == 0) return;
        var file = new DatabaseFile(directory, DatabaseSchema.OfThisProgram);
        Guard(file, () =>
        {
            using var connection = file.OpenBeside(LatePatience);
            LateUsage.Add(connection, deltas);
            return true;
        });
    }

    /// <summary>Copies the file of a data directory as it is at one moment, whatever a proxy does with it meanwhile.</summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="target">Path of the copy, for this user only; a file that is there is replaced.</param>
    /// <exception cref="StoreException">There is no copy.</exception>
    public static void Copy(string directory, string target)
    {
        var file = new DatabaseFile(directory, DatabaseSchema.OfThisProgram);
        Guard(file, () =>
        {
            file.CopyTo(target);
            return true;
        });
    }

    /// <inheritdoc/>
    public StoredState Load()
    {
        try
        {
            return Guard(LoadOnce);
        }
        catch (StoreException problem)
        {
            _whyNot = problem.Message;
            throw;
        }
    }

    /// <inheritdoc/>
    public void SaveUsers(long revision, IReadOnlyCollection<StoredUser> put, IReadOnlyCollection<string> removed)
    {
        Write(connection => Save(connection, revision, put, removed), isDurable: true);
        GiveMemoryBack();
    }

    private static void Save(
        Connection connection, long revision, IReadOnlyCollection<StoredUser> put, IReadOnlyCollection<string> removed)
    {
        using var keep = connection.Prepare(
            "INSERT INTO users (name, definition) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET definition = excluded.definition");
        using var remove = connection.Prepare("DELETE FROM users WHERE name = ?1");
        using var forget = connection.Prepare("DELETE FROM usage WHERE listener = '' AND name = ?1");
        using var state = connection.Prepare("UPDATE state SET revision = ?1");
        foreach (var name in removed)
        {
            _ = remove.Bind(1, name).Run();
            _ = forget.Bind(1, name).Run();
        }

        foreach (var user in put) _ = keep.Bind(1, user.Name).Bind(2, user.Definition).Run();
        _ = state.Bind(1, revision).Run();
    }

    /// <inheritdoc/>
    public void SaveUsage(IReadOnlyCollection<UsageRow> rows, DateTimeOffset now)
    {
        if (rows.Count == 0 && _connection is null) return;
        Write(_ =>
        {
            _writer!.Write(rows, now);
            _purge!.Run(now, _writer!.Finished);
        });
    }

    /// <inheritdoc/>
    public UsageHistory History(UsageKey key) => Guard(_file, () =>
    {
        if (!_file.IsThere()) return new UsageHistory([], []);
        using var connection = _file.OpenBeside();
        return new HistoryReader(connection, new Calendar(_zone)).Read(key, _clock.GetUtcNow());
    });

    /// <inheritdoc/>
    public IReadOnlyCollection<UsageRow> TakeLate()
    {
        IReadOnlyCollection<UsageRow> taken = [];
        if (!_isLoaded || !_file.IsThere() || !Guard(() => LateUsage.Any(Opened()))) return taken;
        Write(connection => taken = LateUsage.Take(connection, _writer!, _clock.GetUtcNow()));
        return taken;
    }

    void IUserStore.AddLate(IReadOnlyCollection<UsageRow> deltas) => AddLate(_directory, deltas);

    /// <inheritdoc/>
    public void MarkClean()
    {
        if (!_isLoaded || !_file.IsThere()) return;
        Write(connection => connection.Execute("UPDATE state SET clean = 1"), isDurable: true);

        // Whatever is written after this begins with taking it back.
        _isStateKept = false;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => Close();

    private static string NewEpoch() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private StoredState LoadOnce()
    {
        (_isLoaded, _isStateKept, _epoch, Remark) = (false, false, NewEpoch(), null);
        Close();
        _file.FinishRepair();
        var state = _file.IsThere() ? ReadOrRepair() : new StoredState(_epoch, 0, [], []);
        _isLoaded = true;
        GiveMemoryBack();
        return state;
    }

    // SQLite keeps 2 MB of pages that it has read or written; the next flush needs a few of them.
    private void GiveMemoryBack()
    {
        try
        {
            _connection?.Execute("PRAGMA shrink_memory");
        }
        catch (SqliteException)
        {
            // What was to be kept is kept.
        }
    }

    private StoredState ReadOrRepair()
    {
        try
        {
            if (!_file.IsMarkedDamaged()) return Read();
        }
        catch (SqliteException problem) when (problem.IsDamage)
        {
            // Read on.
        }

        Close();
        Remark = Salvage.Run(_file, _clock.GetUtcNow());
        return Read();
    }

    private StoredState Read()
    {
        StoredState? state = null;
        try
        {
            var connection = Opened();
            Durably(connection, isDurable: true);
            connection.Transact(() => state = ReadAndBegin(connection));
            _isStateKept = true;
        }
        catch (SqliteException problem) when (problem.IsFull)
        {
            // The users are there, and that is what a start needs. The epoch is kept as soon as there is room.
            Close();
            using var alone = _file.OpenAlone();
            alone.Snapshot(() => state = Read(new StateReader(alone), _epoch));
        }

        _epoch = state!.Epoch;
        return state;
    }

    private StoredState ReadAndBegin(Connection connection)
    {
        var reader = new StateReader(connection);
        var (epoch, isClean, _) = reader.State();
        if (!isClean || epoch.Length == 0) epoch = _epoch;
        KeepState(connection, epoch);
        _ = LateUsage.Take(connection, _writer!, _clock.GetUtcNow());
        var state = Read(reader, epoch);
        using var forget = connection.Prepare("DELETE FROM usage WHERE listener = ?1 AND name = ?2");
        foreach (var orphan in reader.Orphans) _ = forget.Bind(1, orphan.Listener).Bind(2, orphan.Name).Run();
        return state;
    }

    private StoredState Read(StateReader reader, string epoch) =>
        new(epoch, reader.State().Revision, reader.Users(), reader.Usage(_clock.GetUtcNow()));

    // From here on only an orderly end keeps the epoch.
    private static void KeepState(Connection connection, string epoch)
    {
        using var keep = connection.Prepare(
            """
            INSERT INTO state (id, epoch, clean, revision, next_id) VALUES (1, ?1, 0, 0, 1)
            ON CONFLICT DO UPDATE SET epoch = excluded.epoch, clean = 0
            """);
        _ = keep.Bind(1, epoch).Run();
    }

    private void Write(Action<Connection> work, bool isDurable = false) => Guard(() =>
    {
        if (!_isLoaded)
            throw new StoreException($"nothing is written to {_file.Path}, as it was not read: {_whyNot}");
        var connection = Opened();
        Durably(connection, isDurable || !_isStateKept);
        connection.Transact(() =>
        {
            if (!_isStateKept) KeepState(connection, _epoch);
            work(connection);
        });
        _isStateKept = true;
        return true;
    });

    // Usage of some seconds may go with the power of the machine; a user whose link was given out may not, nor the word that the
    // counters go on from here.
    private static void Durably(Connection connection, bool isDurable) =>
        connection.Execute(isDurable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");

    private Connection Opened()
    {
        if (_connection is not null) return _connection;
        var connection = _file.OpenToWrite();
        try
        {
            _writer = new UsageWriter(connection);
            _purge = new HistoryPurge(connection, _calendar);
            return _connection = connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Close()
    {
        _writer?.Dispose();
        _purge?.Dispose();
        _connection?.Dispose();
        (_writer, _purge, _connection) = (null, null, null);
    }

    private T Guard<T>(Func<T> work)
    {
        try
        {
            return Guard(_file, work);
        }
        catch (StoreException problem) when (problem.InnerException is SqliteException { IsBusy: false, IsFull: false })
        {
            // The next call opens the file again: what was in the way may be gone.
            Close();
            throw;
        }
    }

    private static T Guard<T>(DatabaseFile file, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException problem)
        {
            if (problem.IsDamage) file.MarkDamaged();
            throw new StoreException(problem.Sentence(file.Path), problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            var why = problem is UnauthorizedAccessException ? "permission denied" : problem.Message.ReplaceLineEndings(" ");
            throw new StoreException($"{file.Path} cannot be used: {why}", problem);
        }
        catch (Exception problem) when (problem is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            throw new StoreException($"SQLite is not there, or not the right one, so {file.Path} cannot be used", problem);
        }
    }
}
