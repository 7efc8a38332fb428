using Portico.Storage.Sqlite;

namespace Portico.Storage.Usage;

/// <summary>
/// Adds hours that are older than hours are shown to their days, and removes days that are older than days are. A little with each flush:
/// an hour with a hundred thousand users is done after some minutes, and no flush takes long for it, least of all one that ends an hour.
/// </summary>
internal sealed class HistoryPurge : IDisposable
{
    private const int RowsAtOnce = 1000, RowsAtLeast = 100, HoursAtOnce = 50, HoursPerDay = 24;

    private readonly Calendar _calendar;
    private readonly Statement _oldest, _newest, _add, _removeHours, _removeDays;

    public HistoryPurge(Connection connection, Calendar calendar)
    {
        _calendar = calendar;
        _oldest = connection.Prepare("SELECT hour FROM hours WHERE hour < ?1 ORDER BY hour LIMIT 1");
        _newest = connection.Prepare("SELECT hour FROM hours WHERE hour > ?1 ORDER BY hour LIMIT 1");
        _add = connection.Prepare(
            $"""
            INSERT INTO days (day, id, received, sent)
            SELECT ?1, id, received, sent FROM hours WHERE hour = ?2 ORDER BY id LIMIT ?3
            ON CONFLICT DO UPDATE SET received = min(received + excluded.received, {Statement.MostCount}),
                sent = min(sent + excluded.sent, {Statement.MostCount})
            """);
        _removeHours = connection.Prepare(
            "DELETE FROM hours WHERE hour = ?1 AND id IN (SELECT id FROM hours WHERE hour = ?1 ORDER BY id LIMIT ?2)");
        _removeDays = connection.Prepare(
            $"""
            DELETE FROM days WHERE (day, id) IN (
                SELECT day, id FROM days WHERE day < ?1 UNION ALL SELECT day, id FROM days WHERE day > ?2 LIMIT {RowsAtOnce})
            """);
    }

    /// <summary>Does some of it, inside a transaction of the caller's.</summary>
    /// <param name="now">What is old goes by it.</param>
    /// <param name="written">How many rows of hours the transaction has written: after many of them less is done.</param>
    public void Run(DateTimeOffset now, int written)
    {
        var hour = Calendar.HourOf(now);
        var day = _calendar.DayOf(hour);
        var left = Math.Max(RowsAtOnce - (written / 10), RowsAtLeast);
        for (var hours = 0; hours < HoursAtOnce && left > 0; hours++)
        {
            // What a clock that was wrong by more than the days reach has put into the future goes with what is old.
            var found = First(_oldest, hour - HistoryReader.Hours + 1) ?? First(_newest, hour + (HistoryReader.Days * HoursPerDay));
            if (found is not { } done) break;
            _ = _add.Bind(1, _calendar.DayOf(done)).Bind(2, done).Bind(3, left).Run();
            left -= _removeHours.Bind(1, done).Bind(2, left).Run();
        }

        _ = _removeDays.Bind(1, day - HistoryReader.Days + 1).Bind(2, day + HistoryReader.Days).Run();
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[_oldest, _newest, _add, _removeHours, _removeDays]) statement.Dispose();
    }

    private static long? First(Statement statement, long beyond)
    {
        if (!statement.Bind(1, beyond).Step()) return null;
        var hour = statement.Number(0);
        statement.Reset();
        return hour;
    }
}
