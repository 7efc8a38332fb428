using System.Text;
using static Portico.Storage.Sqlite.Native;

namespace Portico.Storage.Sqlite;

/// <summary>One connection to a file. Used by one thread at a time.</summary>
internal sealed unsafe class Connection : IDisposable
{
    // No cell of ours is a fraction of it, and none of a stranger's file is to fill the memory.
    private const int MostCellBytes = 1 << 20;

    private nint _handle;

    private Connection(nint handle) => _handle = handle;

    /// <summary>Rows that the last statement changed.</summary>
    public int Changes => sqlite3_changes(_handle);

    /// <summary>Opens a file.</summary>
    /// <param name="path">As SQLite takes it; no URI.</param>
    /// <param name="patience">How long to wait while somebody else has it.</param>
    /// <param name="mayCreate">Make it if it is not there.</param>
    /// <param name="mayCopy">VACUUM INTO may be used, which attaches its target. ATTACH is off otherwise.</param>
    public static Connection Open(string path, TimeSpan patience, bool mayCreate = false, bool mayCopy = false)
    {
        var flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (mayCreate ? SQLITE_OPEN_CREATE : 0);
        nint handle;
        int code;
        fixed (byte* name = Terminated(path))
            code = sqlite3_open_v2(name, out handle, flags, null);
        var connection = new Connection(handle);
        if (code != SQLITE_OK)
        {
            var problem = connection.Problem(code);
            connection.Dispose();
            throw problem;
        }

        _ = sqlite3_busy_timeout(handle, (int)patience.TotalMilliseconds);
        _ = sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, mayCopy ? 1 : 0);
        _ = sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, MostCellBytes);
        return connection;
    }

    /// <summary>Runs statements that have no parameters, one after the other.</summary>
    public void Execute(string sql)
    {
        fixed (byte* text = Terminated(sql))
        {
            for (var rest = text; *rest != 0;)
            {
                Need(sqlite3_prepare_v3(_handle, rest, -1, 0, out var handle, out rest));
                if (handle == 0) continue; // white space behind the last one
                using var statement = new Statement(this, handle);
                while (statement.Step())
                {
                    // Some pragmas answer.
                }
            }
        }
    }

    /// <summary>Prepares a statement, to be run again and again.</summary>
    public Statement Prepare(string sql)
    {
        fixed (byte* text = Terminated(sql))
        {
            Need(sqlite3_prepare_v3(_handle, text, -1, SQLITE_PREPARE_PERSISTENT, out var handle, out _));
            return new Statement(this, handle);
        }
    }

    /// <summary>Asks for a number. 0 = there is none.</summary>
    public long Number(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() ? statement.Number(0) : 0;
    }

    /// <summary>Does all of it or nothing, as the only writer.</summary>
    public void Transact(Action work) => Within("BEGIN IMMEDIATE", work);

    /// <summary>Reads one state of the file, whatever a writer does meanwhile.</summary>
    public void Snapshot(Action work) => Within("BEGIN", work);

    /// <summary>Fails unless the code says otherwise.</summary>
    public void Need(int code)
    {
        if (code != SQLITE_OK) throw Problem(code);
    }

    /// <summary>What went wrong.</summary>
    public SqliteException Problem(int code) => new(code, _handle == 0 ? 0 : sqlite3_system_errno(_handle));

    public void Dispose()
    {
        if (_handle != 0) _ = sqlite3_close_v2(_handle);
        _handle = 0;
    }

    private void Within(string begin, Action work)
    {
        Execute(begin);
        try
        {
            work();
            Execute("COMMIT");
        }
        catch
        {
            // Of some faults SQLite has rolled back by itself.
            if (sqlite3_get_autocommit(_handle) == 0) Undo();
            throw;
        }
    }

    private void Undo()
    {
        try
        {
            Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // What brought us here is thrown on; the connection is given up for it.
        }
    }

    private static byte[] Terminated(string text) => [.. Encoding.UTF8.GetBytes(text), 0];
}
