using Portico.Core.Users;
using Xunit;
using static Portico.Storage.Tests.FileUnderTest;

namespace Portico.Storage.Tests.Repair;

/// <summary>A damaged file costs what is on its damaged pages, and is kept.</summary>
public sealed class SalvageTests : IDisposable
{
    private const int Users = 20_000;

    private const string Aside = "users.db.broken-20260301-120000";

    private readonly FileUnderTest _file = new();

    public void Dispose() => _file.Dispose();

    [Fact]
    public void What_can_be_read_around_a_damaged_page_is_taken_over()
    {
        var epoch = Fill();
        Damage(0.45, 0.46);

        var store = _file.Loaded(out var state);

        Assert.InRange(state.Users.Count, Users * 9 / 10, Users - 1);
        Assert.Contains(state.Users, user => user.Name == "user-00000");
        Assert.Contains(state.Users, user => user.Name == $"user-{Users - 1}");
        Assert.Equal(
            $"{_file.Path} was damaged; it is {Path.Combine(_file.Directory, Aside)} now. "
                + $"{state.Users.Count} managed users were taken over, and others may be missing",
            store.Remark);
        Assert.NotEqual(epoch, state.Epoch);
        Assert.True(state.Revision > 7);
        Assert.Contains(Aside, _file.Files());
        store.SaveUsers(state.Revision + 1, [new("bob", "{}")], []);
        Assert.Equal(state.Users.Count + 1, _file.Reload().Users.Count);
        Assert.Null(_file.Open().Remark);
    }

    [Fact]
    public void Damage_that_shows_while_the_file_is_used_is_mended_at_the_next_start()
    {
        Fill();
        var store = _file.Loaded(out _);
        Damage(0.3, 0.6);

        var why = _file.Refused(() => store.SaveUsers(8, [], [.. Enumerable.Range(0, Users).Select(i => $"user-{i:d5}")]));

        Assert.Contains("is damaged; at the next start it is set aside", why, StringComparison.Ordinal);
        Assert.Contains("users.db.damaged", _file.Files());
        store = _file.Loaded(out var state);
        Assert.NotNull(store.Remark);
        Assert.InRange(state.Users.Count, Users / 3, Users - 1);
        Assert.DoesNotContain("users.db.damaged", _file.Files());
    }

    [Fact]
    public void Damage_to_the_history_costs_no_user_and_no_counter()
    {
        var store = _file.Loaded(out _);
        store.SaveUsers(7, [new("alice", "{}")], []);
        UsageRow[] rows = [.. Enumerable.Range(0, 3000).Select(i => Row($"user-{i}", i + 1, i + 1, "main"))];
        store.SaveUsage(rows, _file.Clock.GetUtcNow());
        store.SaveUsage([.. rows.Select(row => row with { Received = row.Received + 1 })], _file.Clock.GetUtcNow().AddHours(1));
        _file.Close();
        var pages = _file.Number("SELECT rootpage FROM sqlite_schema WHERE name = 'days'");
        using (var file = new FileStream(_file.Path, FileMode.Open, FileAccess.Write))
        {
            file.Position = (pages - 1) * 4096;
            file.Write(new byte[4096]);
        }

        _file.Clock.Advance(TimeSpan.FromHours(1));
        store = _file.Loaded(out _);
        _file.Refused(() => store.History(new("main", "user-5")));

        store = _file.Loaded(out var state);
        Assert.EndsWith("All 1 managed users were taken over", store.Remark, StringComparison.Ordinal);
        Assert.Equal((7, 3000), (state.Revision, state.Usage.Count));
        Assert.Equal(2, store.History(new("main", "user-5")).Hours.Count);
        Assert.NotEmpty(store.History(new("main", "user-5")).Days);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 0.001)]
    public void A_file_of_which_nothing_can_be_read_is_an_error_and_stays(double from, double to)
    {
        Fill();
        Damage(from, to);
        var bytes = File.ReadAllBytes(_file.Path);

        var store = _file.Open();
        var why = _file.Refused(() => store.Load());

        Assert.Contains("is damaged, and nothing can be read of the users in it; put a copy in its place", why, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(_file.Path));
        _file.Refused(() => store.SaveUsers(8, [], []));
        _file.Close();
        Assert.DoesNotContain(_file.Files(), name => name.Contains("broken", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_was_cut_off_gives_what_is_left()
    {
        Fill();
        using (var file = new FileStream(_file.Path, FileMode.Open)) file.SetLength(file.Length / 2 / 4096 * 4096);

        var state = _file.Reload();

        Assert.InRange(state.Users.Count, 1, Users - 1);
    }

    [Fact]
    public void A_repair_that_was_cut_short_between_two_names_is_gone_on_with()
    {
        Fill();
        File.Move(_file.Path, _file.Path + ".salvaged");
        File.WriteAllText(_file.Path + ".damaged", "");
        File.WriteAllText(_file.Path + "-wal", "the journal of the other");

        var store = _file.Loaded(out var state);

        Assert.Equal((Users, 7, null), (state.Users.Count, state.Revision, store.Remark));
        _file.Close();
        Assert.Equal(["users.db"], _file.Files());
    }

    // Its epoch; the file is in one piece afterwards.
    private string Fill()
    {
        var store = _file.Loaded(out var state);
        store.SaveUsers(7, [.. Enumerable.Range(0, Users).Select(i => new StoredUser($"user-{i:d5}", new string('d', 300)))], []);
        store.MarkClean();
        _file.Close();
        return state.Epoch;
    }

    private void Damage(double from, double to)
    {
        using var file = new FileStream(_file.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        var (first, end) = ((long)(file.Length * from), (long)(file.Length * to));
        file.Position = first;
        file.Write(Enumerable.Repeat((byte)0xA5, (int)(end - first)).ToArray());
    }
}
