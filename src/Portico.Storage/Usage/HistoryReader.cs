using Portico.Core.Users;
using Portico.Storage.Sqlite;

namespace Portico.Storage.Usage;

/// <summary>Reads the history of one key, by as many look-ups as there are hours and days in it.</summary>
internal sealed class HistoryReader(Connection connection, Calendar calendar)
{
    /// <summary>So much is kept, and shown.</summary>
    public const int Hours = 48, Days = 400;

    /// <summary>Hours and days until now, those without traffic left out.</summary>
    public UsageHistory Read(UsageKey key, DateTimeOffset now)
    {
        var (hours, days) = (new SortedDictionary<long, (long, long)>(), new SortedDictionary<long, (long, long)>());
        var thisHour = Calendar.HourOf(now);
        var today = calendar.DayOf(thisHour);
        connection.Snapshot(() =>
        {
            using var usage = connection.Prepare(
                "SELECT id, hour, hour_received, hour_sent FROM usage WHERE listener = ?1 AND name = ?2");
            if (!usage.Bind(1, key.Listener).Bind(2, key.Name).Step()) return;
            var id = usage.Number(0);

            // Hours are added to their days once they are too old to be shown; until then both are made of them. The one that is not over
            // may have been there before, if the clock was set back.
            AddHour(usage.Number(1), (usage.Count(2), usage.Count(3)));
            using var finished = connection.Prepare(
                """
                WITH RECURSIVE times (time) AS (
                    SELECT min(hour) FROM hours
                    UNION ALL SELECT (SELECT min(hour) FROM hours WHERE hour > time) FROM times WHERE time IS NOT NULL LIMIT 10000)
                SELECT time, received, sent FROM times CROSS JOIN hours ON hour = time AND id = ?1
                """);
            _ = finished.Bind(1, id);
            while (finished.Step()) AddHour(finished.Number(0), (finished.Count(1), finished.Count(2)));

            using var old = connection.Prepare(
                """
                WITH RECURSIVE times (time) AS (VALUES (?1) UNION ALL SELECT time + 1 FROM times WHERE time < ?2)
                SELECT time, received, sent FROM times CROSS JOIN days ON day = time AND id = ?3
                """);
            _ = old.Bind(1, today - Days + 1).Bind(2, today).Bind(3, id);
            while (old.Step()) Add(days, old.Number(0), (old.Count(1), old.Count(2)));
        });
        return new UsageHistory(Points(hours, calendar.StartOfHour), Points(days, calendar.StartOfDay));

        void AddHour(long hour, (long, long) bytes)
        {
            if (hour > thisHour - Hours && hour <= thisHour) Add(hours, hour, bytes);
            if (calendar.DayOf(hour) is var day && day > today - Days && day <= today)
                Add(days, day, bytes);
        }
    }

    private static void Add(SortedDictionary<long, (long, long)> to, long time, (long Received, long Sent) bytes)
    {
        if (bytes is (0, 0)) return;
        var (received, sent) = to.GetValueOrDefault(time);
        to[time] = (received + bytes.Received, sent + bytes.Sent);
    }

    private static List<HistoryPoint> Points(SortedDictionary<long, (long Received, long Sent)> of, Func<long, DateTimeOffset> start) =>
        [.. of.Select(point => new HistoryPoint(start(point.Key), point.Value.Received, point.Value.Sent))];
}
