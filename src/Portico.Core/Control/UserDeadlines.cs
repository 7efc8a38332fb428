using Portico.Core.Users;

namespace Portico.Core.Control;

/// <summary>What time alone changes for users: they expire, and periods of their quotas begin. Looked at by one thread.</summary>
/// <param name="users">All users there are.</param>
/// <param name="zone">In whose days periods are counted.</param>
/// <param name="time">The clock.</param>
internal sealed class UserDeadlines(Func<IEnumerable<UserRecord>> users, TimeZoneInfo zone, TimeProvider time)
{
    private volatile TimeZoneInfo _zone = zone;
    private volatile bool _hasChanged = true;
    private DateTimeOffset _next = DateTimeOffset.MaxValue;

    /// <summary>In the operator's time zone. From any thread.</summary>
    public DateOnly Today => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), _zone).DateTime);

    /// <summary>Users, terms or the time zone are others: what is due next is looked for again. From any thread.</summary>
    public void Changed(TimeZoneInfo to) => (_zone, _hasChanged) = (to, true);

    /// <summary>Looks at all of them, when something is due for one.</summary>
    /// <param name="now">The time.</param>
    /// <param name="turned">Hears of each user for whom a period began.</param>
    /// <returns>Whether sessions of a user are to end.</returns>
    public bool Look(DateTimeOffset now, Action<UserRecord> turned)
    {
        if (!_hasChanged && now < _next) return false;
        _hasChanged = false;
        var (today, next, mustGo) = (Today, DateTimeOffset.MaxValue, false);
        foreach (var user in users())
        {
            var terms = user.Terms;
            if (user.Turn(today)) turned(user);
            if (terms.ExpiresAt is { } end)
            {
                if (end <= now) mustGo |= user.Held > 0;
                else if (end < next) next = end;
            }

            if (terms.Quota is { } quota && QuotaCalendar.NextAfter(quota, today) is { } day && StartOf(day) is var start && start < next)
                next = start;
        }

        _next = next;
        return mustGo;
    }

    // A day that begins with an hour that there is not begins when that hour is over.
    private DateTimeOffset StartOf(DateOnly day)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        while (_zone.IsInvalidTime(midnight)) midnight = midnight.AddMinutes(30);
        return new DateTimeOffset(midnight, _zone.GetUtcOffset(midnight));
    }
}
