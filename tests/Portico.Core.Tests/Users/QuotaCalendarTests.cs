using Portico.Core.Users;
using Xunit;

namespace Portico.Core.Tests.Users;

public sealed class QuotaCalendarTests
{
    [Theory]
    [InlineData("2027-02-27", 31, "2027-01-31", "2027-02-28")] // a month of 28 days ends with its own last day
    [InlineData("2027-02-28", 31, "2027-02-28", "2027-03-31")]
    [InlineData("2027-03-01", 31, "2027-02-28", "2027-03-31")]
    [InlineData("2027-03-30", 31, "2027-02-28", "2027-03-31")]
    [InlineData("2028-02-29", 30, "2028-02-29", "2028-03-30")]
    [InlineData("2027-01-05", 10, "2026-12-10", "2027-01-10")]
    [InlineData("2026-12-31", 1, "2026-12-01", "2027-01-01")]
    public void A_month_begins_on_its_reset_day_or_its_last(string today, int resetDay, string start, string next)
    {
        var quota = new UserQuota(1, QuotaPeriod.Month, resetDay);
        Assert.Equal(DateOnly.Parse(start), QuotaCalendar.StartOf(quota, DateOnly.Parse(today)));
        Assert.Equal(DateOnly.Parse(next), QuotaCalendar.NextAfter(quota, DateOnly.Parse(today)));
    }

    [Theory]
    [InlineData("2027-01-04", 1, "2027-01-04")] // a Monday
    [InlineData("2027-01-10", 1, "2027-01-04")]
    [InlineData("2027-01-10", 7, "2027-01-10")] // a Sunday
    [InlineData("2027-01-09", 7, "2027-01-03")]
    [InlineData("2027-01-06", 4, "2026-12-31")]
    public void A_week_begins_on_its_day(string today, int resetDay, string start)
    {
        var quota = new UserQuota(1, QuotaPeriod.Week, resetDay);
        Assert.Equal(DateOnly.Parse(start), QuotaCalendar.StartOf(quota, DateOnly.Parse(today)));
        Assert.Equal(DateOnly.Parse(start).AddDays(7), QuotaCalendar.NextAfter(quota, DateOnly.Parse(today)));
    }

    [Fact]
    public void Every_day_of_ten_years_is_in_the_period_that_begins_before_it_and_ends_behind_it()
    {
        foreach (var period in new[] { QuotaPeriod.Day, QuotaPeriod.Week, QuotaPeriod.Month })
        {
            for (var resetDay = 1; resetDay <= (period == QuotaPeriod.Week ? 7 : 31); resetDay++)
            {
                var quota = new UserQuota(1, period, resetDay);
                for (var today = new DateOnly(2024, 1, 1); today.Year < 2034; today = today.AddDays(1))
                {
                    var (start, next) = (QuotaCalendar.StartOf(quota, today), QuotaCalendar.NextAfter(quota, today)!.Value);
                    Assert.True(start <= today && today < next, $"{period} {resetDay} {today}: {start}..{next}");
                    Assert.Equal(next, QuotaCalendar.StartOf(quota, next));
                }
            }
        }
    }

    [Fact]
    public void A_quota_for_good_has_no_period() =>
        Assert.Null(QuotaCalendar.NextAfter(new UserQuota(1, QuotaPeriod.None), new DateOnly(2027, 1, 1)));
}
