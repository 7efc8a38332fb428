using System.Buffers;
using System.Text;
using Portico.Core.Users;
using Portico.Storage.Sqlite;

namespace Portico.Storage.Usage;

/// <summary>
/// Writes counters. Each row carries the hour that is not over yet: what a counter grew by since it was last written goes there, and only
/// when the row is written in another hour, what was gathered goes to the hours. So nearly every row costs one statement, a row that is
/// written again adds nothing, and a clock that was set back leads to an hour that is added to once more. Rows that are written together
/// mostly lie in the same hour: what the one before needed is tried first.
/// </summary>
internal sealed unsafe class UsageWriter : IDisposable
{
    private const int MostTextBytes = 1024, HourParameter = 8, IdParameter = 9;

    // What a row gathered in its hour: counters that went backwards take nothing away.
    private const string
        Received = "max(?3 - received, 0)",
        Sent = "max(?4 - sent, 0)",
        Counters = "received = ?3, sent = ?4, period_day = ?5, period_base = ?6, last_seen = ?7";

    private readonly byte[] _texts = GC.AllocateUninitializedArray<byte>(2 * MostTextBytes, pinned: true);
    private readonly Statement _update, _finish, _begin, _insert, _nextId, _keepNextId;
    private bool _isNewHour;

    public UsageWriter(Connection connection)
    {
        var most = Statement.MostCount;
        _update = connection.Prepare(
            $"""
            UPDATE usage SET {Counters},
                hour_received = min(hour_received + {Received}, {most}), hour_sent = min(hour_sent + {Sent}, {most})
            WHERE listener = ?1 AND name = ?2 AND hour = ?8
            """);
        _finish = connection.Prepare(
            $"""
            INSERT INTO hours (hour, id, received, sent)
            SELECT hour, id, hour_received, hour_sent FROM usage
            WHERE listener = ?1 AND name = ?2 AND hour <> ?8 AND (hour_received > 0 OR hour_sent > 0)
            ON CONFLICT DO UPDATE SET
                received = min(received + excluded.received, {most}), sent = min(sent + excluded.sent, {most})
            """);
        _begin = connection.Prepare(
            $"""
            UPDATE usage SET {Counters}, hour = ?8, hour_received = {Received}, hour_sent = {Sent}
            WHERE listener = ?1 AND name = ?2 AND hour <> ?8
            """);
        _insert = connection.Prepare(
            """
            INSERT INTO usage (listener, name, received, sent, period_day, period_base, last_seen, hour, hour_received, hour_sent, id)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?3, ?4, ?9)
            """);
        _nextId = connection.Prepare("SELECT next_id FROM state");
        _keepNextId = connection.Prepare("UPDATE state SET next_id = ?1");
    }

    /// <summary>How many rows were added to the hours when rows were last written.</summary>
    public int Finished { get; private set; }

    /// <summary>Writes rows, inside a transaction of the caller's.</summary>
    public void Write(IReadOnlyCollection<UsageRow> rows, DateTimeOffset now)
    {
        var hour = Calendar.HourOf(now);
        Finished = 0;

        // As they lie in the file: each of its pages is then read and written once.
        var sorted = ArrayPool<UsageRow>.Shared.Rent(rows.Count);
        var count = 0;
        foreach (var row in rows) sorted[count++] = row;
        sorted.AsSpan(0, count).Sort(static (left, right) => string.CompareOrdinal(left.Key.Listener, right.Key.Listener) is var order
            && order != 0 ? order : string.CompareOrdinal(left.Key.Name, right.Key.Name));
        foreach (ref readonly var row in sorted.AsSpan(0, count)) Write(row, hour);
        ArrayPool<UsageRow>.Shared.Return(sorted, clearArray: true);
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[_update, _finish, _begin, _insert, _nextId, _keepNextId]) statement.Dispose();
    }

    private void Write(in UsageRow row, long hour)
    {
        // The key stays where it was bound from until the next row.
        var (listener, name) = (Encode(row.Key.Listener, 0), Encode(row.Key.Name, MostTextBytes));
        if (!_isNewHour && Run(_update, row, hour, listener, name) > 0) return;
        BindKey(_finish, row.Key, listener, name);
        Finished += _finish.Bind(HourParameter, hour).Run();
        var wasNewHour = _isNewHour;
        _isNewHour = Run(_begin, row, hour, listener, name) > 0;
        if (_isNewHour) return;
        if (wasNewHour && Run(_update, row, hour, listener, name) > 0) return;
        var id = _nextId.Step() ? _nextId.Number(0) : throw new InvalidOperationException("the file has no state");
        _nextId.Reset();
        _ = _keepNextId.Bind(1, id + 1).Run();
        _ = _insert.Bind(IdParameter, id);
        _ = Run(_insert, row, hour, listener, name);
    }

    private int Run(Statement statement, in UsageRow row, long hour, int listener, int name)
    {
        BindKey(statement, row.Key, listener, name);
        return statement
            .Bind(3, Math.Clamp(row.Received, 0, Statement.MostCount)).Bind(4, Math.Clamp(row.Sent, 0, Statement.MostCount))
            .Bind(5, row.PeriodDay).Bind(6, row.PeriodBase).Bind(7, row.LastSeen).Bind(HourParameter, hour).Run();
    }

    // Without a copy and without garbage: ten thousand rows in a flush are not many. The array is pinned.
    private void BindKey(Statement statement, UsageKey key, int listener, int name)
    {
        fixed (byte* texts = _texts)
        {
            _ = listener < 0 ? statement.Bind(1, key.Listener) : statement.BindPinned(1, texts, listener);
            _ = name < 0 ? statement.Bind(2, key.Name) : statement.BindPinned(2, texts + MostTextBytes, name);
        }
    }

    // Its length; below 0 = it is too long for that.
    private int Encode(string text, int offset) =>
        Encoding.UTF8.TryGetBytes(text, _texts.AsSpan(offset, MostTextBytes), out var length) ? length : -1;
}
