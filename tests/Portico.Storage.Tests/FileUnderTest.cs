using Portico.Core.Users;
using Portico.Storage.Sqlite;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.Storage.Tests;

/// <summary>A data directory of its own, stores in it one after the other, and what only SQLite itself can tell of the file.</summary>
internal sealed class FileUnderTest : IDisposable
{
    private readonly List<UserDatabase> _stores = [];

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("portico-").FullName;

    public string Path => System.IO.Path.Combine(Directory, UserDatabase.FileName);

    public ManualTime Clock { get; } = new();

    public TimeZoneInfo Zone { get; set; } = TimeZoneInfo.Utc;

    public static UsageRow Row(string name, long received, long sent, string listener = "") =>
        new(new UsageKey(listener, name), received, sent, 739_000, 7, 1_700_000_000);

    /// <summary>A new store on the directory; the one before is closed.</summary>
    public UserDatabase Open()
    {
        Close();
        var store = new UserDatabase(Directory, Zone, Clock);
        _stores.Add(store);
        return store;
    }

    /// <summary>A store that was loaded.</summary>
    public UserDatabase Loaded(out StoredState state)
    {
        var store = Open();
        state = store.Load();
        return store;
    }

    /// <summary>What the next process finds.</summary>
    public StoredState Reload()
    {
        using var store = Loaded(out var state);
        return state;
    }

    /// <summary>As a user of SQLite's own program would.</summary>
    public void Execute(string sql)
    {
        using var connection = Connection.Open(Path, TimeSpan.FromSeconds(5));
        connection.Execute(sql);
    }

    public long Number(string sql)
    {
        using var connection = Connection.Open(Path, TimeSpan.FromSeconds(5));
        return connection.Number(sql);
    }

    /// <summary>Names of the files that are there.</summary>
    public string[] Files() =>
        [.. System.IO.Directory.GetFiles(Directory).Select(file => System.IO.Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    /// <summary>Fails with a sentence for the operator, which names the file and no user.</summary>
    public string Refused(Action call)
    {
        var problem = Assert.Throws<StoreException>(call);
        Assert.Contains(Path, problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", problem.ToString(), StringComparison.Ordinal);
        return problem.Message;
    }

    public void Close()
    {
        foreach (var store in _stores) store.Dispose();
        _stores.Clear();
    }

    public void Dispose()
    {
        Close();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
