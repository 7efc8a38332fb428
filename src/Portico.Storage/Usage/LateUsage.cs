using Portico.Core.Users;
using Portico.Storage.Sqlite;

namespace Portico.Storage.Usage;

/// <summary>What a process counted after it had handed over. It stands in a table of its own until the owner adds it.</summary>
internal static class LateUsage
{
    /// <summary>For the process that no longer owns the file.</summary>
    public static void Add(Connection connection, IEnumerable<UsageRow> deltas) => connection.Transact(() =>
    {
        using var insert = connection.Prepare(
            "INSERT INTO late (listener, name, received, sent, last_seen) VALUES (?1, ?2, ?3, ?4, ?5)");
        foreach (var delta in deltas.Where(delta => delta.Received > 0 || delta.Sent > 0 || delta.LastSeen > 0))
        {
            _ = insert.Bind(1, delta.Key.Listener).Bind(2, delta.Key.Name)
                .Bind(3, Math.Max(delta.Received, 0)).Bind(4, Math.Max(delta.Sent, 0)).Bind(5, delta.LastSeen).Run();
        }
    });

    /// <summary>Whether there is anything to take.</summary>
    public static bool Any(Connection connection) => connection.Number("SELECT 1 FROM late LIMIT 1") != 0;

    /// <summary>For the owner, inside a transaction: adds it to the counters and empties the table.</summary>
    /// <returns>What was added. Of managed users that were removed meanwhile nothing is.</returns>
    public static List<UsageRow> Take(Connection connection, UsageWriter writer, DateTimeOffset now)
    {
        var (deltas, sums) = (new List<UsageRow>(), new List<UsageRow>());
        using var read = connection.Prepare(
            """
            SELECT l.listener, l.name, l.received, l.sent, l.last_seen, u.received, u.sent, u.period_day, u.period_base, u.last_seen
            FROM (SELECT listener, name, total(received) AS received, total(sent) AS sent, max(last_seen) AS last_seen
                FROM late GROUP BY listener, name) AS l
            LEFT JOIN usage AS u ON u.listener = l.listener AND u.name = l.name
            WHERE l.listener <> '' OR EXISTS (SELECT 1 FROM users WHERE users.name = l.name)
            """);
        while (read.Step())
        {
            var delta = new UsageRow(new UsageKey(read.Text(0), read.Text(1)), read.Count(2), read.Count(3), 0, 0, read.Count(4));
            deltas.Add(delta);
            sums.Add(new UsageRow(
                delta.Key, read.Count(5) + delta.Received, read.Count(6) + delta.Sent, (int)read.Number(7), read.Number(8),
                Math.Max(read.Count(9), delta.LastSeen)));
        }

        writer.Write(sums, now);
        connection.Execute("DELETE FROM late");
        return deltas;
    }
}
