using Portico.Core.Users;
using Portico.Storage.Sqlite;
using Xunit;
using static Portico.Storage.Tests.FileUnderTest;

namespace Portico.Storage.Tests.Usage;

/// <summary>Every byte is counted in one hour and one day, whatever clocks and processes do.</summary>
public sealed class HistoryTests : IDisposable
{
    private static readonly UsageKey Alice = new("main", "alice");

    private readonly FileUnderTest _file = new();

    private DateTimeOffset Now => _file.Clock.GetUtcNow();

    public void Dispose() => _file.Dispose();

    [Fact]
    public void An_hour_gathers_what_counters_grow_by()
    {
        var store = _file.Loaded(out _);
        Save(store, 100, 10, Now);
        Save(store, 150, 12, Now.AddMinutes(10));
        Save(store, 150, 12, Now.AddMinutes(20)); // again: nothing

        var history = store.History(Alice);

        Assert.Equal([new HistoryPoint(Now, 150, 12)], history.Hours);
        Assert.Equal([new HistoryPoint(Now.Date.ToUniversalTime(), 150, 12)], history.Days);
    }

    [Fact]
    public void Finished_hours_stay_and_days_are_their_sums()
    {
        var store = _file.Loaded(out _);
        var begin = Now;
        Save(store, 100, 10, Now);
        _file.Clock.Advance(TimeSpan.FromHours(1));
        Save(store, 300, 20, Now);
        _file.Clock.Advance(TimeSpan.FromHours(23));
        Save(store, 1300, 40, Now);

        // By the next process too.
        store = _file.Loaded(out _);
        var history = store.History(Alice);

        Assert.Equal([new(begin, 100, 10), new(begin.AddHours(1), 200, 10), new(begin.AddHours(24), 1000, 20)], history.Hours);
        Assert.Equal([new(Midnight(begin), 300, 20), new(Midnight(begin).AddDays(1), 1000, 20)], history.Days);
    }

    [Fact]
    public void Rows_of_the_last_hour_of_this_one_and_of_none_may_be_written_together_in_any_order()
    {
        var store = _file.Loaded(out _);
        var begin = Now;
        var keys = Enumerable.Range(0, 12).Select(i => new UsageKey("main", $"user-{i:d2}")).ToArray();
        Keep([.. keys.Where((_, i) => i % 3 != 0)], 100);
        _file.Clock.Advance(TimeSpan.FromHours(1));
        Keep([.. keys.Where((_, i) => i % 3 == 1)], 150);
        Keep(keys, 175);

        Assert.All(keys, (key, i) => Assert.Equal(
            (i % 3) switch
            {
                0 => [new(Now, 175, 0)],
                _ => [new HistoryPoint(begin, 100, 0), new(Now, 75, 0)],
            },
            store.History(key).Hours));

        void Keep(UsageKey[] some, long received) =>
            store.SaveUsage([.. some.Select(key => new UsageRow(key, received, 0, 0, 0, 0))], Now);
    }

    [Fact]
    public void A_clock_that_is_set_back_counts_nothing_twice_and_nothing_below_zero()
    {
        var store = _file.Loaded(out _);
        Save(store, 100, 0, Now);
        Save(store, 300, 0, Now.AddHours(5));
        Save(store, 600, 0, Now.AddDays(-1));
        Save(store, 1000, 0, Now);
        Save(store, 1500, 0, Now.AddHours(5));
        _file.Clock.Advance(TimeSpan.FromHours(5));

        var history = store.History(Alice);

        var begin = Now.AddHours(-5);
        Assert.Equal([new(begin.AddDays(-1), 300, 0), new(begin, 500, 0), new(Now, 700, 0)], history.Hours);
        Assert.Equal([300, 1200], history.Days.Select(day => day.Received));
    }

    [Fact]
    public void Counters_that_go_backwards_take_nothing_away()
    {
        var store = _file.Loaded(out _);
        Save(store, 1000, 1000, Now);
        Save(store, 10, 10, Now);
        Save(store, 30, 15, Now);

        Assert.Equal([new HistoryPoint(Now, 1020, 1005)], store.History(Alice).Hours);
    }

    [Fact]
    public void Forty_eight_hours_and_four_hundred_days_are_shown_and_kept()
    {
        var store = _file.Loaded(out _);
        const int AllHours = 405 * 24;
        for (var hour = 1; hour <= AllHours; hour++)
        {
            Save(store, hour, 0, Now);
            if (hour < AllHours) _file.Clock.Advance(TimeSpan.FromHours(1));
        }

        var history = store.History(Alice);

        Assert.Equal((48, 400), (history.Hours.Count, history.Days.Count));
        Assert.Equal(Now, history.Hours[^1].Start);
        Assert.All(history.Days.SkipLast(1), day => Assert.Equal(24, day.Received));
        Assert.InRange(_file.Number("SELECT count(*) FROM hours"), 47, 48);
        Assert.InRange(_file.Number("SELECT count(*) FROM days"), 397, 400); // the last two are in the hours
    }

    [Fact]
    public void What_a_wrong_clock_put_far_into_the_future_goes()
    {
        var store = _file.Loaded(out _);
        Save(store, 1, 0, new DateTimeOffset(9998, 12, 31, 23, 0, 0, TimeSpan.Zero));
        Save(store, 3, 0, Now);
        Save(store, 6, 0, Now);
        _file.Execute("INSERT INTO days VALUES (3652000, 1, 1, 1)");
        Save(store, 6, 0, Now);

        Assert.Equal([5], store.History(Alice).Hours.Select(hour => hour.Received));
        Assert.Equal((0, 0), (_file.Number("SELECT count(*) FROM hours"), _file.Number("SELECT count(*) FROM days")));
    }

    [Theory]
    [InlineData("Asia/Kolkata", "2026-03-01T19:10:00Z", "2026-03-02T00:00:00+05:30")]
    [InlineData("America/New_York", "2026-03-02T04:00:00Z", "2026-03-01T00:00:00-05:00")]
    [InlineData("America/New_York", "2026-03-09T03:00:00Z", "2026-03-08T00:00:00-05:00")] // clocks are put forward at 2
    [InlineData("Africa/Cairo", "2026-04-24T02:00:00Z", "2026-04-24T01:00:00+03:00")] // at midnight
    public void Days_are_those_of_the_time_zone(string zone, string now, string day)
    {
        _file.Zone = TimeZoneInfo.FindSystemTimeZoneById(zone);
        var time = DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture);
        _file.Clock.Advance(time - Now);
        var store = _file.Loaded(out _);
        Save(store, 5, 0, Now);
        _file.Clock.Advance(TimeSpan.FromHours(1));
        Save(store, 5, 0, Now); // the hour is over

        var history = store.History(Alice);

        Assert.Equal(day, history.Days[0].Start.ToString("yyyy-MM-ddTHH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(5, history.Days[0].Received);
        Assert.Equal(_file.Zone.GetUtcOffset(history.Hours[0].Start), history.Hours[0].Start.Offset);
    }

    [Fact]
    public void History_is_read_while_somebody_writes()
    {
        var store = _file.Loaded(out _);
        Save(store, 5, 0, Now);
        using var writer = Connection.Open(_file.Path, TimeSpan.Zero);
        writer.Transact(() =>
        {
            writer.Execute("UPDATE usage SET hour_received = 99");

            Assert.Equal(5, Assert.Single(store.History(Alice).Hours).Received);
        });

        Assert.Equal(99, Assert.Single(store.History(Alice).Hours).Received);
    }

    [Fact]
    public void A_name_that_comes_again_has_no_history_of_the_one_before()
    {
        var store = _file.Loaded(out _);
        store.SaveUsers(1, [new("alice", "1")], []);
        store.SaveUsage([Row("alice", 100, 0)], Now);
        store.SaveUsage([Row("alice", 200, 0)], Now.AddHours(1));
        store.SaveUsers(2, [], ["alice"]);
        store.SaveUsers(3, [new("alice", "1")], []);
        Assert.Empty(store.History(new("", "alice")).Hours);

        store.SaveUsage([Row("alice", 7, 0)], Now);

        Assert.Equal([new HistoryPoint(Now, 7, 0)], store.History(new("", "alice")).Hours);
    }

    [Fact]
    public void Nobody_has_no_history()
    {
        var store = _file.Loaded(out _);
        Save(store, 5, 0, Now);

        var history = store.History(new("main", "bob"));

        Assert.Empty(history.Hours);
        Assert.Empty(history.Days);
    }

    private static void Save(UserDatabase store, long received, long sent, DateTimeOffset now) =>
        store.SaveUsage([Row(Alice.Name, received, sent, Alice.Listener)], now);

    private static DateTimeOffset Midnight(DateTimeOffset time) => new(time.UtcDateTime.Date, TimeSpan.Zero);
}
