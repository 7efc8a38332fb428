using System.Runtime.Versioning;
using Portico.Storage.Schema;
using Xunit;
using static Portico.Storage.Tests.FileUnderTest;

namespace Portico.Storage.Tests.Schema;

/// <summary>Files of other versions, of other people, and copies.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class DatabaseFileTests : IDisposable
{
    private const string Step = "ALTER TABLE users ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue';";

    private readonly FileUnderTest _file = new();

    public void Dispose() => _file.Dispose();

    [Fact]
    public void An_older_file_is_brought_up_to_date_and_a_copy_of_it_stays()
    {
        Fill();
        using (var store = Newer(Step))
        {
            Assert.Equal("bob", Assert.Single(store.Load().Users).Name);
            store.SaveUsers(2, [new("carol", "{}")], []);
        }

        Assert.Equal(2, _file.Number("PRAGMA user_version"));
        Assert.Equal(2, _file.Number("SELECT count(*) FROM users WHERE colour = 'blue'"));
        Assert.Equal(["users.db", "users.db.before-1"], _file.Files());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_file.Path + ".before-1"));
    }

    [Fact]
    public void A_file_of_a_newer_version_is_refused_and_its_copy_named()
    {
        Fill();
        using (var store = Newer(Step)) store.Load();
        var bytes = File.ReadAllBytes(_file.Path);

        var store1 = _file.Open();
        var why = _file.Refused(() => store1.Load());

        Assert.Contains("is of version 2, written by a newer Portico, and this one understands versions up to 1;", why);
        Assert.EndsWith($"put {_file.Path}.before-1 in its place, the copy that was kept before the change", why, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(_file.Path));
        _file.Close();
        File.Move(_file.Path + ".before-1", _file.Path, overwrite: true);
        Assert.Equal("bob", Assert.Single(_file.Reload().Users).Name);
    }

    [Fact]
    public void A_step_that_fails_leaves_the_file_as_it_was()
    {
        Fill();
        using (var store = Newer(Step + "INSERT INTO nothing VALUES (1);")) _file.Refused(() => store.Load());

        Assert.Equal(1, _file.Number("PRAGMA user_version"));
        Assert.Equal("bob", Assert.Single(_file.Reload().Users).Name);
    }

    [Theory]
    [InlineData("CREATE TRIGGER t AFTER UPDATE ON usage BEGIN DELETE FROM users; END")]
    [InlineData("CREATE VIEW v AS SELECT 1")]
    [InlineData("DROP TABLE days")]
    [InlineData("PRAGMA application_id = 7")]
    public void A_file_that_holds_other_things_is_refused(string change)
    {
        Fill();
        _file.Execute(change);

        var store = _file.Open();

        Assert.Contains("does not hold what Portico keeps of users", _file.Refused(() => store.Load()), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_numbers_a_file_holds_counters_stay_within_their_bounds()
    {
        var store = _file.Loaded(out _);
        store.SaveUsage([Row("bob", 1, 1, "main"), Row("carol", 1, 1, "main")], _file.Clock.GetUtcNow());
        _file.Execute(
            "UPDATE usage SET received = 9223372036854775807, sent = -5, hour_received = 9223372036854775807, hour = hour - 1, "
                + "period_base = -9223372036854775807, last_seen = -1");

        store = _file.Loaded(out var state);
        Assert.All(state.Usage, row => Assert.True(row is { Received: > 0, Sent: 0, PeriodBase: 0, LastSeen: 0 }));
        store.SaveUsage([.. state.Usage.Select(row => row with { Sent = 9 })], _file.Clock.GetUtcNow());
        Assert.All(store.History(new("main", "bob")).Hours, hour => Assert.True(hour.Received >= 0 && hour.Sent >= 0));
        _file.Execute("UPDATE usage SET hour_received = 9223372036854775807");
        store.SaveUsage([.. state.Usage.Select(row => row with { Received = long.MaxValue })], _file.Clock.GetUtcNow());
    }

    [Fact]
    public void A_copy_is_whole_while_the_owner_goes_on()
    {
        using var copied = new FileUnderTest();
        var store = Fill();
        store.SaveUsage([Row("bob", 9, 9)], _file.Clock.GetUtcNow()); // not yet in the file itself

        UserDatabase.Copy(_file.Directory, copied.Path);
        store.SaveUsage([Row("bob", 10, 10)], _file.Clock.GetUtcNow());

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(copied.Path));
        Assert.Equal(["users.db"], copied.Files());
        var state = copied.Reload();
        Assert.Equal("bob", Assert.Single(state.Users).Name);
        Assert.Equal(9, Assert.Single(state.Usage).Received);
    }

    [Fact]
    public void A_start_that_was_killed_before_it_made_a_table_begins_again()
    {
        File.WriteAllBytes(_file.Path, []);
        File.WriteAllText(_file.Path + ".partial", "half a repair");

        var store = _file.Loaded(out var state);
        store.SaveUsers(1, [new("bob", "{}")], []);

        Assert.Empty(state.Users);
        Assert.Single(_file.Reload().Users);
    }

    private UserDatabase Fill()
    {
        var store = _file.Loaded(out _);
        store.SaveUsers(1, [new("bob", "{}")], []);
        return store;
    }

    private UserDatabase Newer(string step)
    {
        _file.Close();
        return new UserDatabase(
            _file.Directory, TimeZoneInfo.Utc, _file.Clock, new DatabaseSchema([.. DatabaseSchema.OfThisProgram.Steps, step]));
    }
}
