namespace Portico.Core.Users;

/// <summary>
/// When the periods of quotas begin. Days, not instants: a change of the time zone moves no day, and begins no period twice.
/// </summary>
internal static class QuotaCalendar
{
    /// <summary>First day of the period that a day is in.</summary>
    /// <param name="quota">Its period and reset day.</param>
    /// <param name="today">In the operator's time zone.</param>
    public static DateOnly StartOf(UserQuota quota, DateOnly today) => quota.Period switch
    {
        QuotaPeriod.Day => today,
        QuotaPeriod.Week => today.AddDays(-(((int)today.DayOfWeek + 7 - (quota.ResetDay % 7)) % 7)),
        QuotaPeriod.Month => MonthStart(quota.ResetDay, today),
        _ => DateOnly.MinValue,
    };

    /// <summary>First day of the period that follows; null = none does.</summary>
    public static DateOnly? NextAfter(UserQuota quota, DateOnly today)
    {
        var start = StartOf(quota, today);
        return quota.Period switch
        {
            QuotaPeriod.Day => start.AddDays(1),
            QuotaPeriod.Week => start.AddDays(7),
            QuotaPeriod.Month => DayOf(new DateOnly(start.Year, start.Month, 1).AddMonths(1), quota.ResetDay),
            _ => null,
        };
    }

    private static DateOnly MonthStart(int resetDay, DateOnly today)
    {
        var month = new DateOnly(today.Year, today.Month, 1);
        var start = DayOf(month, resetDay);
        return start <= today ? start : DayOf(month.AddMonths(-1), resetDay);
    }

    // The last day of a month that is too short.
    private static DateOnly DayOf(DateOnly month, int resetDay) =>
        new(month.Year, month.Month, Math.Min(resetDay, DateTime.DaysInMonth(month.Year, month.Month)));
}
