using System.Globalization;
using Portico.Storage.Sqlite;

namespace Portico.Storage.Schema;

/// <summary>
/// The tables of the file, and the steps that bring an older file to them. The number of the version is SQLite's <c>user_version</c>.
/// </summary>
/// <param name="steps">SQL: the first makes version 1 of an empty file, the next version 2 of that, and so on.</param>
internal sealed class DatabaseSchema(IReadOnlyList<string> steps)
{
    /// <summary>What the file says of itself: "Ptco".</summary>
    private const int Mark = 0x5074636F;

    // users     as the API takes them, secrets included
    // usage     counters; the hour that is not over yet with what was counted in it. Its id stands for the key in the history, and is
    //           never used again
    // hours     finished ones, by UTC: seconds since 1970 / 3600. By hour first: new ones are added at the end, and old ones removed
    // days      since 1 January of year 1, in the time zone of the configuration
    // late      what a process counted after it had handed over, until the owner adds it
    private const string First =
        """
        CREATE TABLE state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            epoch TEXT NOT NULL,
            clean INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            next_id INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE users (
            name TEXT PRIMARY KEY,
            definition TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE usage (
            listener TEXT NOT NULL,
            name TEXT NOT NULL,
            id INTEGER NOT NULL,
            received INTEGER NOT NULL,
            sent INTEGER NOT NULL,
            period_day INTEGER NOT NULL,
            period_base INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            hour INTEGER NOT NULL,
            hour_received INTEGER NOT NULL,
            hour_sent INTEGER NOT NULL,
            PRIMARY KEY (listener, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE hours (
            hour INTEGER NOT NULL,
            id INTEGER NOT NULL,
            received INTEGER NOT NULL,
            sent INTEGER NOT NULL,
            PRIMARY KEY (hour, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE days (
            day INTEGER NOT NULL,
            id INTEGER NOT NULL,
            received INTEGER NOT NULL,
            sent INTEGER NOT NULL,
            PRIMARY KEY (day, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE late (
            id INTEGER PRIMARY KEY,
            listener TEXT NOT NULL,
            name TEXT NOT NULL,
            received INTEGER NOT NULL,
            sent INTEGER NOT NULL,
            last_seen INTEGER NOT NULL
        ) STRICT;
        """;

    private const string Shape = "SELECT coalesce(group_concat(line, char(10)), '') FROM "
        + "(SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS line FROM sqlite_schema ORDER BY type, name)";

    private string? _shape;

    /// <summary>See the constructor.</summary>
    public IReadOnlyList<string> Steps => steps;

    /// <summary>Of this program.</summary>
    public static DatabaseSchema OfThisProgram { get; } = new([First]);

    /// <summary>The version that this program writes.</summary>
    public int Newest => steps.Count;

    /// <summary>The version of a file; 0 = it is empty.</summary>
    public static int VersionOf(Connection connection) => (int)connection.Number("PRAGMA user_version");

    /// <summary>Makes the tables in an empty file, or brings those of an older one up to date; whole or not at all.</summary>
    public void Enter(Connection connection) => connection.Transact(() =>
    {
        foreach (var step in steps.Skip(VersionOf(connection))) connection.Execute(step);
        connection.Execute(string.Create(
            CultureInfo.InvariantCulture, $"PRAGMA application_id = {Mark}; PRAGMA user_version = {Newest}"));
    });

    /// <summary>Whether a file of the present version holds these tables and nothing else: no trigger, no view of a stranger's.</summary>
    public bool IsThatOf(Connection connection) =>
        connection.Number("PRAGMA application_id") == Mark && ShapeOf(connection) == (_shape ??= ShapeOfNew());

    /// <summary>Whether a file says that it is one of ours, of whatever version.</summary>
    public static bool IsOurs(Connection connection) => connection.Number("PRAGMA application_id") == Mark;

    private static string ShapeOf(Connection connection)
    {
        using var statement = connection.Prepare(Shape);
        return statement.Step() ? statement.Text(0) : "";
    }

    private string ShapeOfNew()
    {
        using var empty = Connection.Open(":memory:", TimeSpan.Zero, mayCreate: true);
        Enter(empty);
        return ShapeOf(empty);
    }
}
