using System.Runtime.Versioning;
using Portico.Core.Users;
using Xunit;
using static Portico.Storage.Tests.FileUnderTest;

namespace Portico.Storage.Tests;

/// <summary>What is kept comes back, and nothing else.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class UserDatabaseTests : IDisposable
{
    private readonly FileUnderTest _file = new();

    public void Dispose() => _file.Dispose();

    [Fact]
    public void A_start_without_users_makes_no_file()
    {
        var store = _file.Loaded(out var state);
        store.SaveUsage([], _file.Clock.GetUtcNow());
        Assert.Empty(store.TakeLate());
        Assert.Empty(store.History(UsageKey.Everybody).Hours);
        store.MarkClean();
        _file.Close();

        Assert.Equal((0, 0, 0), (state.Revision, state.Users.Count, state.Usage.Count));
        Assert.NotEmpty(state.Epoch);
        Assert.Empty(_file.Files());
    }

    [Fact]
    public void Users_and_usage_come_back_as_they_were_saved()
    {
        var store = _file.Loaded(out _);
        StoredUser[] users = [new("alice", """{"name":"alice","secret":"00"}"""), new("Боб 🌍", "{}")];
        UsageRow[] rows =
        [
            new(new("", "alice"), 10L << 40, 5, 739_001, 12, 1_790_000_000), Row("Боб 🌍", 1, 2), Row("carol", 3, 4, "main"),
            new(UsageKey.Everybody, 10L << 41, 11, 0, 0, 0),
        ];
        store.SaveUsers(41, users, []);
        store.SaveUsage(rows, _file.Clock.GetUtcNow());

        var state = _file.Reload();

        Assert.Equal(41, state.Revision);
        Assert.Equal(users.ToHashSet(), state.Users.ToHashSet());
        Assert.Equal(rows.ToHashSet(), state.Usage.ToHashSet());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_file.Path));
    }

    [Fact]
    public void A_change_replaces_and_removes_and_leaves_the_others()
    {
        var store = _file.Loaded(out _);
        store.SaveUsers(1, [new("alice", "1"), new("bob", "1"), new("carol", "1")], []);
        store.SaveUsage([Row("alice", 1, 1), Row("bob", 2, 2), Row("carol", 3, 3)], _file.Clock.GetUtcNow());

        store.SaveUsers(2, [new("bob", "2")], ["alice", "nobody"]);

        var state = _file.Reload();
        Assert.Equal([new StoredUser("bob", "2"), new StoredUser("carol", "1")], state.Users.OrderBy(user => user.Name));
        Assert.Equal(["bob", "carol"], state.Usage.Select(row => row.Key.Name).Order());
        Assert.Equal(2, state.Revision);
    }

    [Fact]
    public void Usage_that_comes_late_for_a_removed_user_is_not_there_at_the_next_start()
    {
        var store = _file.Loaded(out _);
        store.SaveUsers(1, [new("alice", "1")], []);
        store.SaveUsers(2, [], ["alice"]);
        store.SaveUsage([Row("alice", 5, 5), Row("alice", 6, 6, "main")], _file.Clock.GetUtcNow());

        Assert.Equal("main", Assert.Single(_file.Reload().Usage).Key.Listener);
        Assert.Equal(1, _file.Number("SELECT count(*) FROM usage"));
    }

    [Fact]
    public void A_user_of_the_file_is_forgotten_when_its_history_is()
    {
        var store = _file.Loaded(out _);
        store.SaveUsage([Row("alice", 5, 5, "main"), new(UsageKey.Everybody, 5, 5, 0, 0, 0)], _file.Clock.GetUtcNow());
        _file.Clock.Advance(TimeSpan.FromDays(399));
        Assert.Equal(2, _file.Reload().Usage.Count);

        _file.Clock.Advance(TimeSpan.FromDays(2));

        Assert.Equal(UsageKey.Everybody, Assert.Single(_file.Reload().Usage).Key);
    }

    [Fact]
    public void The_epoch_stays_over_an_orderly_end_and_no_other()
    {
        var store = _file.Loaded(out var first);
        store.SaveUsers(1, [new("alice", "1")], []);
        store.MarkClean();
        Assert.Equal(first.Epoch, _file.Loaded(out var second) is var again ? second.Epoch : "");

        again.SaveUsage([Row("alice", 1, 1)], _file.Clock.GetUtcNow());
        var third = _file.Reload(); // without a word
        Assert.NotEqual(first.Epoch, third.Epoch);

        store = _file.Loaded(out var fourth);
        Assert.NotEqual(third.Epoch, fourth.Epoch);
        store.MarkClean();
        store.SaveUsage([Row("alice", 2, 2)], _file.Clock.GetUtcNow()); // it was not the end
        Assert.NotEqual(fourth.Epoch, _file.Reload().Epoch);
    }

    [Fact]
    public void An_epoch_that_was_given_out_before_the_file_was_made_is_the_one_in_it()
    {
        var store = _file.Loaded(out var state);
        store.SaveUsage([Row("alice", 1, 1, "main")], _file.Clock.GetUtcNow());
        store.MarkClean();

        Assert.Equal(state.Epoch, _file.Reload().Epoch);
    }

    [Fact]
    public void Nothing_is_written_before_the_file_was_read()
    {
        var store = _file.Open();

        Assert.Contains("as it was not read: ", _file.Refused(() => store.SaveUsers(1, [], [])), StringComparison.Ordinal);
        var why = _file.Refused(() => store.SaveUsage([Row("alice", 1, 1)], default));
        Assert.Contains("as it was not read: ", why, StringComparison.Ordinal);
        Assert.Empty(_file.Files());
    }

    [Fact]
    public void Neither_secrets_nor_names_are_in_what_is_shown_of_a_fault()
    {
        var store = _file.Loaded(out _);
        store.SaveUsers(1, [new("alice", "1")], []);
        var secret = new string('5', 2_000_000); // longer than any cell may be

        var shown = Assert.Throws<StoreException>(() => store.SaveUsers(2, [new("alice", secret)], [])).ToString();

        Assert.DoesNotContain("555", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", shown, StringComparison.Ordinal);
        Assert.Equal(1, _file.Reload().Revision);
    }

    [Fact]
    public void A_hundred_thousand_users_are_read_in_less_than_a_second()
    {
        var store = _file.Loaded(out _);
        var definition = """{"quota":{"bytes":1073741824,"period":"month"},"secret":" """ + new string('a', 32) + "\"}";
        store.SaveUsers(1, [.. Enumerable.Range(0, 100_000).Select(i => new StoredUser($"user-{i}", definition))], []);
        store.SaveUsage([.. Enumerable.Range(0, 100_000).Select(i => Row($"user-{i}", i, i))], _file.Clock.GetUtcNow());
        store = _file.Open();
        var began = TimeProvider.System.GetTimestamp();

        var state = store.Load();

        Assert.Equal((100_000, 100_000), (state.Users.Count, state.Usage.Count));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 0, 1);
    }
}
