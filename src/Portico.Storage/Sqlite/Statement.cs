using System.Buffers;
using System.Text;
using static Portico.Storage.Sqlite.Native;

namespace Portico.Storage.Sqlite;

/// <summary>A prepared statement. Parameters count from 1, columns from 0, as in SQLite.</summary>
internal sealed unsafe class Statement(Connection connection, nint handle) : IDisposable
{
    /// <summary>Where counters end: two of them can be added.</summary>
    public const long MostCount = 1L << 61;

    private nint _handle = handle;

    /// <summary>Gives a parameter its value.</summary>
    public Statement Bind(int index, long value)
    {
        connection.Need(sqlite3_bind_int64(_handle, index, value));
        return this;
    }

    /// <summary>Gives a parameter its value.</summary>
    public Statement Bind(int index, string text)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, buffer);
        fixed (byte* bytes = buffer)
            connection.Need(sqlite3_bind_text(_handle, index, bytes, length, SQLITE_TRANSIENT));

        // It may have been a secret.
        buffer.AsSpan(0, length).Clear();
        ArrayPool<byte>.Shared.Return(buffer);
        return this;
    }

    /// <summary>Gives a parameter its value, of memory that neither moves nor changes until the statement has run.</summary>
    public Statement BindPinned(int index, byte* text, int length)
    {
        connection.Need(sqlite3_bind_text(_handle, index, text, length, SQLITE_STATIC));
        return this;
    }

    /// <summary>Goes on to the next row.</summary>
    /// <returns>False when there is none; the statement can be run again then.</returns>
    public bool Step()
    {
        var code = sqlite3_step(_handle);
        if (code == SQLITE_ROW) return true;
        var problem = code == SQLITE_DONE ? null : connection.Problem(code);
        _ = sqlite3_reset(_handle);
        return problem is null ? false : throw problem;
    }

    /// <summary>Runs a statement that has no rows.</summary>
    /// <returns>So many rows were changed.</returns>
    public int Run()
    {
        while (Step())
        {
            // Rows that a RETURNING gave are not looked at.
        }

        return connection.Changes;
    }

    /// <summary>Leaves the rows that are left, and lets the statement be run again.</summary>
    public void Reset() => _ = sqlite3_reset(_handle);

    /// <summary>A column of the row.</summary>
    public long Number(int column) => sqlite3_column_int64(_handle, column);

    /// <summary>A column of the row that counts something: whatever the file holds, from 0 to <see cref="MostCount"/>.</summary>
    public long Count(int column) => Math.Clamp(Number(column), 0, MostCount);

    /// <summary>A column of the row.</summary>
    public string Text(int column)
    {
        var bytes = sqlite3_column_text(_handle, column);
        return bytes is null ? "" : Encoding.UTF8.GetString(bytes, sqlite3_column_bytes(_handle, column));
    }

    public void Dispose()
    {
        if (_handle != 0) _ = sqlite3_finalize(_handle);
        _handle = 0;
    }
}
