using Portico.Core.Diagnostics;
using Portico.Core.Users;
using Xunit;

namespace Portico.Core.Tests.Users;

public sealed class UserRecordTests
{
    private const long Megabyte = 1 << 20;

    private static readonly DateOnly Today = new(2027, 2, 10);

    private readonly UsageLedger _ledger = new();
    private int _looks;

    public UserRecordTests() => _ledger.WhenSomeoneMustGo(() => Interlocked.Increment(ref _looks));

    [Fact]
    public void A_quota_ends_within_a_hundredth_of_itself_however_many_loops_spend_it()
    {
        var user = With(new UserTerms { Quota = new(100 * Megabyte, QuotaPeriod.None) });
        Parallel.For(0, 4, loop =>
        {
            var meter = user.MeterOn(loop);
            while (user.Limits!.MaySend(nowMs: 0)) meter.CountSent(65536, nowMs: 0);
        });

        Assert.InRange(user.Used, 99 * Megabyte, 101 * Megabyte);
        Assert.Equal(CloseReason.UserQuota, user.Refusal(0));
        Assert.Equal(1, _looks);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(5000)]
    [InlineData(1_000_000)]
    public void A_small_quota_is_spent_to_its_end_and_not_a_lease_earlier(int bytes)
    {
        var user = With(new UserTerms { Quota = new(bytes, QuotaPeriod.None) });
        var moved = 0;
        for (; user.Limits!.MaySend(nowMs: 0); moved++) user.MeterOn(moved % 2).CountSent(1, nowMs: 0);

        // The last lease of the other loop may be left over.
        Assert.InRange(moved, Math.Max(1, bytes - 4096 - (bytes / 100)), bytes);
        Assert.Equal(1, _looks);
    }

    [Fact]
    public void A_quota_of_ten_tebibytes_is_one()
    {
        var user = With(new UserTerms { Quota = new(10L << 40, QuotaPeriod.Month) });
        for (var i = 0; i < 1000; i++) user.MeterOn(0).CountReceived(int.MaxValue, nowMs: 0);
        Assert.Null(user.Refusal(0));
        Assert.Equal(1000L * int.MaxValue, user.Used);
        Assert.Equal(0, _looks);
    }

    [Fact]
    public void Usage_set_to_nothing_opens_the_door_and_changes_no_counter()
    {
        var user = With(new UserTerms { Quota = new(Megabyte, QuotaPeriod.Month) });
        user.MeterOn(0).CountSent((int)Megabyte, nowMs: 0);
        Assert.Equal(CloseReason.UserQuota, user.Refusal(0));

        user.ResetUsage();

        Assert.Null(user.Refusal(0));
        Assert.True(user.Limits!.MaySend(0));
        Assert.Equal((0, Megabyte), (user.Used, user.Sent));
        user.MeterOn(0).CountSent((int)Megabyte, nowMs: 0);
        Assert.Equal(CloseReason.UserQuota, user.Refusal(0));
        Assert.Equal(2, _looks);
    }

    [Fact]
    public void A_period_begins_once_whatever_the_clock_and_its_zone_do()
    {
        var user = With(new UserTerms { Quota = new(Megabyte, QuotaPeriod.Month, ResetDay: 31) });
        user.MeterOn(0).CountSent(1000, nowMs: 0);

        Assert.False(user.Turn(new DateOnly(2027, 2, 27)));
        Assert.True(user.Turn(new DateOnly(2027, 2, 28)));
        Assert.Equal(0, user.Used);
        user.MeterOn(0).CountSent(10, nowMs: 0);
        Assert.False(user.Turn(new DateOnly(2027, 2, 27))); // set back one day, or moved west
        Assert.False(user.Turn(new DateOnly(2027, 2, 28)));
        Assert.False(user.Turn(new DateOnly(2027, 3, 30)));
        Assert.Equal(10, user.Used);
        Assert.True(user.Turn(new DateOnly(2027, 3, 31)));
    }

    [Fact]
    public void A_clock_that_was_years_ahead_once_does_not_keep_later_periods_from_beginning()
    {
        var user = With(new UserTerms { Quota = new(Megabyte, QuotaPeriod.Month) });
        Assert.True(user.Turn(new DateOnly(2037, 5, 5)));
        user.MeterOn(0).CountSent(10, nowMs: 0);
        Assert.False(user.Turn(new DateOnly(2027, 2, 11)));
        Assert.Equal(10, user.Used);
        Assert.True(user.Turn(new DateOnly(2027, 3, 1)));
    }

    [Fact]
    public void Late_bytes_that_use_a_quota_up_are_told_as_no_session_could()
    {
        var user = With(new UserTerms { Quota = new(1000, QuotaPeriod.None) });
        user.AddLate(new UsageRow(user.Key, 500, 600, 0, 0, 0));
        Assert.Equal((1, CloseReason.UserQuota), (_looks, user.Refusal(0)));
    }

    [Fact]
    public void Another_reset_day_or_period_begins_nothing_by_itself()
    {
        var user = With(new UserTerms { Quota = new(Megabyte, QuotaPeriod.Month, ResetDay: 1) });
        user.MeterOn(0).CountSent(1000, nowMs: 0);
        user.Apply(new UserTerms { Quota = new(Megabyte, QuotaPeriod.Month, ResetDay: 9) }, Today);
        Assert.Equal(1000, user.Used);
        user.Apply(new UserTerms { Quota = new(Megabyte, QuotaPeriod.None) }, Today);
        Assert.Equal(1000, user.Used);
        user.Apply(new UserTerms { Quota = new(Megabyte, QuotaPeriod.Day) }, Today);
        Assert.Equal(1000, user.Used);
        Assert.True(user.Turn(Today.AddDays(1)));
        Assert.Equal(0, user.Used);
    }

    [Fact]
    public void A_smaller_quota_than_what_was_used_ends_the_user_and_a_larger_one_lets_it_in()
    {
        var user = With(new UserTerms { Quota = new(Megabyte, QuotaPeriod.None) });
        user.MeterOn(0).CountSent(1000, nowMs: 0);
        user.Apply(new UserTerms { Quota = new(1000, QuotaPeriod.None) }, Today);
        Assert.Equal(CloseReason.UserQuota, user.Refusal(0));
        user.Apply(new UserTerms { Quota = new(2000, QuotaPeriod.None) }, Today);
        Assert.Null(user.Refusal(0));
        user.Apply(UserTerms.Unlimited, Today);
        user.MeterOn(0).CountSent(100_000, nowMs: 0);
        Assert.Null(user.Refusal(0));
    }

    [Fact]
    public void What_an_earlier_process_counted_goes_on()
    {
        var key = new UsageKey("", "alice");
        _ledger.Restore([new UsageRow(key, 100, 200, new DateOnly(2027, 2, 1).DayNumber, 50, 7)]);
        var user = new UserRecord(_ledger.Managed, "alice");
        user.Apply(new UserTerms { Quota = new(1000, QuotaPeriod.Month) }, Today);

        Assert.Equal((100, 200, 250, 7), (user.Received, user.Sent, user.Used, user.LastSeen));
        user.MeterOn(0).CountReceived(5, nowMs: 0);
        Assert.Equal(new UsageRow(key, 105, 200, new DateOnly(2027, 2, 1).DayNumber, 50, 7), user.ToRow());
        Assert.Null(_ledger.Claim(key)); // once
    }

    [Fact]
    public void Moves_are_told_once_with_what_they_grew_by_and_none_is_lost_beside_a_busy_loop()
    {
        var user = With(UserTerms.Unlimited);
        var (sum, done) = (0L, false);
        var mover = new Thread(() =>
        {
            for (var i = 0; i < 200_000; i++) user.MeterOn(0).CountReceived(1, nowMs: 0);
            Volatile.Write(ref done, true);
        });
        mover.Start();
        while (!Volatile.Read(ref done)) sum += Take();
        mover.Join();
        sum += Take();

        Assert.Equal(200_000, sum);
        Assert.Empty(_ledger.TakeMoved());

        long Take() => _ledger.TakeMoved().Values.Sum(it => it.Received);
    }

    [Fact]
    public void What_a_removed_user_moved_last_counts_for_all_together()
    {
        var user = With(UserTerms.Unlimited);
        user.MeterOn(0).CountReceived(10, nowMs: 0);
        user.IsForgotten = true;
        Assert.Equal((10, 0), Assert.Single(_ledger.TakeMoved()).Value);
    }

    [Fact]
    public void So_many_sessions_and_no_more()
    {
        var user = With(new UserTerms { MaxConnections = 2 });
        Assert.True(user.TryHold() && user.TryHold());
        Assert.False(user.TryHold());
        user.LetGo();
        Assert.True(user.TryHold());
    }

    [Fact]
    public void A_switched_off_user_and_one_whose_time_is_over_may_not_go_on()
    {
        var end = DateTimeOffset.FromUnixTimeSeconds(1000);
        Assert.Equal(CloseReason.UserDisabled, With(new UserTerms { IsEnabled = false }).Refusal(0));
        Assert.Null(With(new UserTerms { ExpiresAt = end }).Refusal(999));
        Assert.Equal(CloseReason.UserExpired, With(new UserTerms { ExpiresAt = end }).Refusal(1000));
    }

    private UserRecord With(UserTerms terms)
    {
        var user = new UserRecord(_ledger.Managed, "alice");
        user.Apply(terms, Today);
        return user;
    }
}
