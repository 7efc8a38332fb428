namespace Portico.Storage.Usage;

/// <summary>Hours and days of the history, as numbers. Hours are UTC's; a day is one of the time zone in which its hour began.</summary>
internal sealed class Calendar(TimeZoneInfo zone)
{
    private const int SecondsPerHour = 3600;

    // Nearly always it is the same hour that is asked for.
    private (long Hour, long Day) _last = (long.MinValue, 0);

    /// <summary>The hour of an instant.</summary>
    public static long HourOf(DateTimeOffset time) => Math.Max(time.ToUnixTimeSeconds(), 0) / SecondsPerHour;

    /// <summary>The day of an hour.</summary>
    public long DayOf(long hour)
    {
        if (_last.Hour != hour)
            _last = (hour, DateOnly.FromDateTime(StartOfHour(hour).DateTime).DayNumber);
        return _last.Day;
    }

    /// <summary>When an hour began, in the time zone.</summary>
    public DateTimeOffset StartOfHour(long hour) =>
        TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeSeconds(Clamped(hour) * SecondsPerHour), zone);

    /// <summary>When a day began, in the time zone.</summary>
    public DateTimeOffset StartOfDay(long day)
    {
        var midnight = DateOnly.FromDayNumber((int)Math.Clamp(day, 1, DateOnly.MaxValue.DayNumber - 1)).ToDateTime(TimeOnly.MinValue);

        // Where clocks are put forward at midnight, the day begins with the first moment that there is.
        for (var minutes = 0; minutes < 24 * 60 && zone.IsInvalidTime(midnight); minutes++) midnight = midnight.AddMinutes(1);
        return new DateTimeOffset(midnight, zone.GetUtcOffset(midnight));
    }

    // What a file says may lie outside of any calendar. Years 1971 to 9998.
    private static long Clamped(long hour) => Math.Clamp(hour, 8_760, 70_000_000);
}
