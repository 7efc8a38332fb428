using Portico.Core.Users;
using Portico.Storage.Sqlite;
using Portico.Storage.Usage;

namespace Portico.Storage;

/// <summary>Reads everything that a start needs.</summary>
internal sealed class StateReader(Connection connection)
{
    /// <summary>Rows whose user is not there any more.</summary>
    public List<UsageKey> Orphans { get; } = [];

    /// <summary>The epoch and number of the set, and whether the last process ended in order.</summary>
    public (string Epoch, bool IsClean, long Revision) State()
    {
        using var read = connection.Prepare("SELECT epoch, clean, revision FROM state");
        return read.Step() ? (read.Text(0), read.Number(1) == 1, read.Number(2)) : ("", false, 0);
    }

    public List<StoredUser> Users()
    {
        var users = new List<StoredUser>();
        using var read = connection.Prepare("SELECT name, definition FROM users");
        while (read.Step()) users.Add(new StoredUser(read.Text(0), read.Text(1)));
        return users;
    }

    /// <param name="now">Users of the configuration file that had no traffic for as long as history reaches are orphans too.</param>
    public List<UsageRow> Usage(DateTimeOffset now)
    {
        var rows = new List<UsageRow>();
        var oldest = Calendar.HourOf(now) - (HistoryReader.Days * 24);
        using var read = connection.Prepare(
            """
            SELECT listener, name, received, sent, period_day, period_base, last_seen,
                CASE WHEN listener = '' THEN EXISTS (SELECT 1 FROM users WHERE users.name = usage.name)
                    ELSE hour >= ?1 OR listener = '*' END
            FROM usage
            """);
        _ = read.Bind(1, oldest);
        while (read.Step())
        {
            var key = new UsageKey(read.Text(0), read.Text(1));
            if (read.Number(7) == 0)
            {
                Orphans.Add(key);
                continue;
            }

            // A file from elsewhere may say anything: days and moments are those that there are.
            var day = (int)Math.Clamp(read.Number(4), 0, DateOnly.MaxValue.DayNumber - 400);
            var seen = Math.Min(read.Count(6), DateTimeOffset.MaxValue.ToUnixTimeSeconds());
            rows.Add(new UsageRow(key, read.Count(2), read.Count(3), day, read.Count(5), seen));
        }

        return rows;
    }
}
