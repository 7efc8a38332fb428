using Portico.Core.Users;
using Xunit;
using static Portico.Storage.Tests.FileUnderTest;

namespace Portico.Storage.Tests.Usage;

/// <summary>What an old process counted after it had handed over is added once.</summary>
public sealed class LateUsageTests : IDisposable
{
    private readonly FileUnderTest _file = new();

    public void Dispose() => _file.Dispose();

    [Fact]
    public void The_owner_adds_it_to_its_counters_and_hears_of_it_once()
    {
        var store = Owner();
        UserDatabase.AddLate(_file.Directory, [Late("alice", 5, 7, "main"), Late("bob", 1, 0)]);
        UserDatabase.AddLate(_file.Directory, [Late("alice", 10, 0, "main")]);

        var taken = store.TakeLate();

        Assert.Equal([("alice", 15, 7, 1_800_000_000), ("bob", 1, 0, 1_800_000_000)], Shown(taken));
        Assert.Empty(store.TakeLate());
        Assert.Equal([new HistoryPoint(_file.Clock.GetUtcNow(), 115, 107)], store.History(new("main", "alice")).Hours);

        // Counters that hold it already add nothing.
        store.SaveUsage([Row("alice", 115, 107, "main")], _file.Clock.GetUtcNow());
        Assert.Equal([new HistoryPoint(_file.Clock.GetUtcNow(), 115, 107)], store.History(new("main", "alice")).Hours);
        Assert.Equal(
            [("alice", 115, 107, 1_700_000_000), ("bob", 3, 2, 1_800_000_000)], Shown(_file.Reload().Usage));
    }

    [Fact]
    public void Nobody_took_it_so_the_next_start_does()
    {
        _ = Owner();
        UserDatabase.AddLate(_file.Directory, [Late("alice", 5, 7, "main")]);

        var store = _file.Loaded(out var state);

        Assert.Equal(("alice", 105, 107, 1_800_000_000), Shown(state.Usage)[0]);
        Assert.Empty(store.TakeLate());
    }

    [Fact]
    public void A_listener_that_is_new_gets_a_row_and_a_user_who_was_removed_gets_none()
    {
        var store = Owner();
        store.SaveUsers(2, [], ["bob"]);
        UserDatabase.AddLate(_file.Directory, [Late("carol", 5, 0, "main"), Late("bob", 9, 0)]);

        Assert.Equal([("carol", 5, 0, 1_800_000_000)], Shown(store.TakeLate()));

        Assert.Equal(["alice", "carol"], _file.Reload().Usage.Select(row => row.Key.Name).Order());
        Assert.Equal(0, _file.Number("SELECT count(*) FROM late"));
    }

    [Fact]
    public void What_cannot_be_taken_now_is_taken_later()
    {
        var store = Owner();
        UserDatabase.AddLate(_file.Directory, [Late("alice", 5, 7, "main")]);
        using (var other = Sqlite.Connection.Open(_file.Path, TimeSpan.Zero))
            other.Transact(() => _file.Refused(() => store.TakeLate()));

        Assert.Equal([("alice", 5, 7, 1_800_000_000)], Shown(store.TakeLate()));
    }

    [Fact]
    public void Without_a_file_nothing_is_added_and_none_is_made()
    {
        _file.Refused(() => UserDatabase.AddLate(_file.Directory, [Late("alice", 5, 7)]));

        Assert.Empty(_file.Files());
    }

    private static UsageRow Late(string name, long received, long sent, string listener = "") =>
        new(new UsageKey(listener, name), received, sent, 0, 0, 1_800_000_000);

    private static (string, long, long, long)[] Shown(IEnumerable<UsageRow> rows) =>
        [.. rows.Select(row => (row.Key.Name, row.Received, row.Sent, row.LastSeen)).OrderBy(row => row.Name)];

    private UserDatabase Owner()
    {
        var store = _file.Loaded(out _);
        store.SaveUsers(1, [new("bob", "1")], []);
        store.SaveUsage([Row("alice", 100, 100, "main"), Row("bob", 2, 2)], _file.Clock.GetUtcNow());
        return store;
    }
}
