using Portico.Core.Users;
using Portico.Storage.Schema;
using Portico.Storage.Sqlite;

namespace Portico.Storage.Repair;

/// <summary>
/// Takes over what can be read of a damaged file. Each table is read from its beginning as far as that goes, and then from its end: a page
/// that makes no sense costs what is on it and little else.
/// </summary>
internal sealed class Salvage
{
    // What a damaged table may repeat has an end.
    private const int MostRows = 50_000_000, MostTextBytes = 1 << 16;

    private static readonly Table[] Tables =
    [
        new("state", "id", [], ["id", "clean", "revision", "next_id"]),
        new("users", "name", ["name", "definition"], []),
        new("usage", "listener, name", ["listener", "name"],
            ["id", "received", "sent", "period_day", "period_base", "last_seen", "hour", "hour_received", "hour_sent"]),
        new("hours", "hour, id", [], ["hour", "id", "received", "sent"]),
        new("days", "day, id", [], ["day", "id", "received", "sent"]),
        new("late", "id", ["listener", "name"], ["id", "received", "sent", "last_seen"]),
    ];

    private readonly Connection _from, _to;

    private Salvage(Connection from, Connection to) => (_from, _to) = (from, to);

    /// <summary>Replaces a damaged file.</summary>
    /// <returns>For the operator: what became of it.</returns>
    /// <exception cref="StoreException">Nothing of its users can be read. The file is where it was.</exception>
    public static string Run(DatabaseFile file, DateTimeOffset now)
    {
        var (users, areAll) = (0L, true);
        Connection? from = null;
        string aside;
        try
        {
            from = file.OpenDamaged();
            aside = file.Replace(
                to =>
                {
                    areAll = new Salvage(from, to).Copy(now);
                    users = to.Number("SELECT count(*) FROM users");
                    if (users == 0 && !areAll) throw new SqliteException(Native.SQLITE_CORRUPT, 0);
                },
                () => from.Dispose(),
                now);
        }
        catch (SqliteException problem) when (problem.IsDamage)
        {
            throw new StoreException(
                $"{file.Path} is damaged, and nothing can be read of the users in it; put a copy in its place, or move it away to begin "
                    + "without managed users",
                problem);
        }
        finally
        {
            from?.Dispose();
        }

        return $"{file.Path} was damaged; it is {aside} now. "
            + (areAll ? $"All {users} managed users were taken over" : $"{users} managed users were taken over, and others may be missing");
    }

    // False = of the users or of the number of their set something may be missing.
    private bool Copy(DateTimeOffset now)
    {
        var whole = Tables.ToDictionary(table => table.Name, TryCopy);
        using var state = _to.Prepare(
            """
            INSERT INTO state (id, epoch, clean, revision, next_id) VALUES (1, '', 0, ?1, 1)
            ON CONFLICT DO UPDATE SET epoch = '', clean = 0
            """);

        // A number that the set had before must not come again for another set.
        _ = state.Bind(1, now.ToUnixTimeSeconds()).Run();
        if (!whole["users"]) _ = _to.Number("UPDATE state SET revision = revision + 1 RETURNING 1");
        _to.Execute(
            """
            UPDATE state SET next_id = max(next_id, 1 + coalesce((SELECT max(id) FROM usage), 0),
                1 + coalesce((SELECT max(id) FROM hours), 0), 1 + coalesce((SELECT max(id) FROM days), 0))
            """);
        return whole["users"];
    }

    private bool TryCopy(Table table)
    {
        var isWhole = TryCopy(table, "ASC");
        if (!isWhole) _ = TryCopy(table, "DESC");
        return isWhole;
    }

    private bool TryCopy(Table table, string direction)
    {
        Statement? read = null;
        using var write = _to.Prepare(table.Insert);
        try
        {
            if (!Try(() => read = _from.Prepare(table.Select(direction)))) return false;
            for (var rows = 0; rows < MostRows; rows++)
            {
                var isRow = false;
                if (!Try(() => isRow = read!.Step())) return false;
                if (!isRow) return true;
                CopyRow(table, read!, write);
            }

            return false;
        }
        finally
        {
            read?.Dispose();
        }
    }

    private static void CopyRow(Table table, Statement read, Statement write)
    {
        for (var column = 0; column < table.Texts.Length; column++)
        {
            var text = read.Text(column);
            if (text.Length > MostTextBytes) return;
            _ = write.Bind(column + 1, text);
        }

        for (var column = table.Texts.Length; column < table.Count; column++) _ = write.Bind(column + 1, read.Number(column));
        _ = write.Run();
    }

    // Only what is damaged ends the reading of a table; a disk without room ends it all.
    private static bool Try(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (SqliteException problem) when (problem.IsDamage)
        {
            return false;
        }
    }

    private sealed record Table(string Name, string Key, string[] Texts, string[] Numbers)
    {
        public int Count => Texts.Length + Numbers.Length;

        // The epoch is not taken over; it has to be something.
        public string Insert => Name == "state"
            ? $"INSERT OR IGNORE INTO state ({Columns}, epoch) VALUES ({Parameters}, '')"
            : $"INSERT OR IGNORE INTO {Name} ({Columns}) VALUES ({Parameters})";

        private string Columns => string.Join(", ", Texts.Concat(Numbers));

        private string Parameters => string.Join(", ", Enumerable.Range(1, Count).Select(number => $"?{number}"));

        public string Select(string direction) =>
            $"SELECT {Columns} FROM {Name} ORDER BY {string.Join(", ", Key.Split(", ").Select(column => $"{column} {direction}"))}";
    }
}
