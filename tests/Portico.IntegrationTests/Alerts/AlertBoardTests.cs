using System.Globalization;
using System.Text.Json.Nodes;
using Portico.Alerts;
using Portico.Core.Control;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.IntegrationTests.Alerts;

/// <summary>What waits to be told, and what is not told twice.</summary>
public sealed class AlertBoardTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Of_a_kind_there_is_an_alert_a_minute_and_other_kinds_do_not_wait_for_it()
    {
        var board = new AlertBoard(_time);
        board.Put("dc_down", State("2"));
        Assert.Equal(["dc_down 2"], Take(board));
        board.Put("dc_down", State("2, 4"));
        board.Put("cover_down", State("down"));
        Assert.Equal(["cover_down down"], Take(board));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Empty(Take(board));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["dc_down 2, 4"], Take(board));
        _time.Advance(TimeSpan.FromHours(1));
        board.Put("dc_down", State("2, 4"));
        Assert.Empty(Take(board));
        board.Put("dc_down", null);
        Assert.Equal(["dc_down 2, 4 over"], Take(board));
    }

    [Fact]
    public void A_state_that_comes_and_goes_within_the_minute_is_no_news()
    {
        var board = new AlertBoard(_time);
        board.Put("dc_down", State("2"));
        board.Put("dc_down", null);
        Assert.Empty(Take(board));
        board.Put("dc_down", State("2"));
        Assert.Equal(["dc_down 2"], Take(board));
        board.Put("dc_down", null);
        board.Put("dc_down", State("2"));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(Take(board));
    }

    [Fact]
    public void A_hundred_thousand_users_are_one_alert_of_bounded_size()
    {
        var board = new AlertBoard(_time);
        for (var i = 0; i < 100_000; i++) board.Add("quota_80", i.ToString(CultureInfo.InvariantCulture));
        Assert.True(board.TryTake(out var alert));
        Assert.Equal(AlertBoard.MostNamed, alert.Details["users"]!.AsArray().Count);
        Assert.Equal(100_000, (int)alert.Details["count"]!);
        Assert.Contains("0, 1, 2, 3, 4 and 99995 more", alert.Text, StringComparison.Ordinal);
        Assert.InRange(alert.ToJson("proxy", "1.0").Length, 1, 4096);
        Assert.False(board.TryTake(out _));
        board.Add("quota_80", "one");
        Assert.False(board.TryTake(out _));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(board.TryTake(out alert));
        Assert.Equal(1, (int)alert.Details["count"]!);
    }

    [Fact]
    public void After_a_start_those_who_had_used_so_much_before_are_told_by_the_next_mark_only()
    {
        var (marks, told, now) = (new UserMarks(_time.GetUtcNow()), new List<string>(), _time.GetUtcNow());
        Look(Near("anna", 85), Near("bert", 100), End("carl", now + TimeSpan.FromDays(1)), End("dora", now + TimeSpan.FromHours(71.5)));
        Assert.Equal(["expires_in_3d dora"], told);
        Look(Near("anna", 99), Near("bert", 100), Near("emil", 80));
        Assert.Equal(["expires_in_3d dora", "quota_80 emil"], told);
        Look(Near("anna", 100), Near("bert", 85, period: 31), Near("emil", 101));
        Assert.Equal(["quota_100 anna", "quota_80 bert", "quota_100 emil"], told.Skip(2));
        Look(Near("bert", 90, period: 31), End("carl", now + TimeSpan.FromDays(2)));
        Assert.Equal(["expires_in_3d carl"], told.Skip(5));

        void Look(params UserNearLimit[] near) => marks.Look(near, (kind, user) => told.Add($"{kind} {user}"));
        static UserNearLimit Near(string name, int percent, int period = 1) => new(name, "", percent, period, null);
        static UserNearLimit End(string name, DateTimeOffset end) => new(name, "", null, 0, end);
    }

    [Fact]
    public void Every_kind_has_its_words()
    {
        foreach (var kind in new[] { "dc_down", "cover_down", "clock_wrong", "blocked_suspected", "not_ready", "certificate_expires" })
            Assert.EndsWith(".", AlertKinds.TextOfEnd(kind), StringComparison.Ordinal);
        foreach (var kind in new[] { "quota_80", "quota_100", "expires_in_3d" })
            Assert.Contains("anna", AlertKinds.TextOfUsers(kind, "anna"), StringComparison.Ordinal);
    }

    private static AlertState State(string sameness) => new("text", sameness, new JsonObject { ["is"] = sameness });

    private static List<string> Take(AlertBoard board)
    {
        var taken = new List<string>();
        while (board.TryTake(out var alert)) taken.Add($"{alert.Kind} {alert.Details["is"]}{(alert.IsResolved ? " over" : "")}");
        return taken;
    }
}
