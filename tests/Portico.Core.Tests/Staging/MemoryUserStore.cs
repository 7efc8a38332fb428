using Portico.Core.Users;

namespace Portico.Core.Tests.Staging;

/// <summary>Keeps users and usage in memory, and fails when it is told to.</summary>
internal sealed class MemoryUserStore : IUserStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, StoredUser> _users = [];
    private readonly Dictionary<UsageKey, UsageRow> _usage = [];
    private readonly Dictionary<UsageKey, UsageRow> _late = [];
    private long _revision;

    /// <summary>What every call fails for; null = none does.</summary>
    public string? Failure { get; set; }

    /// <summary>Orderly ends.</summary>
    public int CleanEnds { get; private set; }

    /// <summary>Calls that kept usage.</summary>
    public int Flushes { get; private set; }

    public IReadOnlyDictionary<UsageKey, UsageRow> Usage
    {
        get
        {
            lock (_gate) return new Dictionary<UsageKey, UsageRow>(_usage);
        }
    }

    public IReadOnlyList<StoredUser> Users
    {
        get
        {
            lock (_gate) return [.. _users.Values];
        }
    }

    public StoredState Load() => Locked(() => new StoredState("epoch", _revision, [.. _users.Values], [.. _usage.Values]));

    public void SaveUsers(long revision, IReadOnlyCollection<StoredUser> put, IReadOnlyCollection<string> removed) => Locked(() =>
    {
        foreach (var user in put) _users[user.Name] = user;
        foreach (var name in removed)
        {
            _users.Remove(name);
            _usage.Remove(new UsageKey("", name));
        }

        return _revision = revision;
    });

    public void SaveUsage(IReadOnlyCollection<UsageRow> rows, DateTimeOffset now) => Locked(() =>
    {
        foreach (var row in rows) _usage[row.Key] = row;
        return Flushes++;
    });

    public UsageHistory History(UsageKey key) => new([], []);

    public void AddLate(IReadOnlyCollection<UsageRow> deltas) => Locked(() =>
    {
        foreach (var row in deltas) _late[row.Key] = row;
        return 0;
    });

    public IReadOnlyCollection<UsageRow> TakeLate() => Locked(() =>
    {
        var taken = _late.Values.ToList();
        _late.Clear();
        return taken;
    });

    public void MarkClean() => Locked(() => CleanEnds++);

    public void Dispose()
    {
    }

    private T Locked<T>(Func<T> work)
    {
        lock (_gate) return Failure is { } why ? throw new StoreException(why) : work();
    }
}
