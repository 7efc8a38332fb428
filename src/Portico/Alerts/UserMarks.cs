using Portico.Core.Control;

namespace Portico.Alerts;

/// <summary>Which users have passed a mark of their quota or come near their end: each mark is told once in a period.</summary>
/// <param name="startedAt">
/// When the process began, if this is its beginning: who had used so much by then counts as told, by the process before. Of ends that came
/// near within the hour before it is told, since nobody may have run then. Null = all are told.
/// </param>
internal sealed class UserMarks(DateTimeOffset? startedAt)
{
    /// <summary>How long before the end it is told.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromDays(3);

    /// <summary>From so much of the quota on.</summary>
    public const int Percent = 80;

    private static readonly TimeSpan Unwatched = TimeSpan.FromHours(1);

    private readonly Dictionary<(string Listener, string Name), Mark> _told = [];
    private DateTimeOffset? _startedAt = startedAt;
    private int _look;

    private readonly record struct Mark(int Period, int Percent, DateTimeOffset? End, int Look);

    /// <summary>Looks at all who are near a limit.</summary>
    /// <param name="near">Each once.</param>
    /// <param name="tell">Is given the kind and the user's name for what is new.</param>
    public void Look(IEnumerable<UserNearLimit> near, Action<string, string> tell)
    {
        _look++;
        foreach (var user in near)
        {
            var key = (user.Listener, user.Name);
            var before = _told.GetValueOrDefault(key);
            var percent = user.QuotaPercent switch { null => 0, >= 100 => 100, _ => Percent };
            _told[key] = new Mark(user.PeriodDay, percent, user.ExpiresAt, _look);
            var isHigher = percent > (before.Period == user.PeriodDay ? before.Percent : 0);
            if (isHigher && _startedAt is null)
                tell(percent == 100 ? AlertKinds.Quota100 : AlertKinds.Quota80, user.Name);
            if (user.ExpiresAt is not { } end || end == before.End) continue;
            if (_startedAt is not { } start || end - Ahead > start - Unwatched)
                tell(AlertKinds.ExpiresIn3d, user.Name);
        }

        // Whoever has room again is told of anew when that is used up.
        foreach (var (key, mark) in _told)
        {
            if (mark.Look != _look) _told.Remove(key);
        }

        _startedAt = null;
    }
}
