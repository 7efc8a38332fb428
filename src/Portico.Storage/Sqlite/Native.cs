using System.Runtime.InteropServices;

namespace Portico.Storage.Sqlite;

/// <summary>The functions of SQLite that are called, as sqlite.org/c3ref describes them. Nothing else declares any.</summary>
internal static unsafe partial class Native
{
    public const int SQLITE_OK = 0, SQLITE_PERM = 3, SQLITE_BUSY = 5, SQLITE_LOCKED = 6, SQLITE_NOMEM = 7, SQLITE_READONLY = 8,
        SQLITE_IOERR = 10, SQLITE_CORRUPT = 11, SQLITE_FULL = 13, SQLITE_CANTOPEN = 14, SQLITE_CONSTRAINT = 19, SQLITE_AUTH = 23,
        SQLITE_NOTADB = 26, SQLITE_ROW = 100, SQLITE_DONE = 101;

    public const int SQLITE_OPEN_READWRITE = 2, SQLITE_OPEN_CREATE = 4, SQLITE_OPEN_NOMUTEX = 0x8000, SQLITE_OPEN_EXRESCODE = 0x2000000;

    public const int SQLITE_LIMIT_LENGTH = 0, SQLITE_LIMIT_ATTACHED = 7;

    public const uint SQLITE_PREPARE_PERSISTENT = 1;

    /// <summary>What a text that was bound is: to be left alone, or to be copied at once.</summary>
    public const nint SQLITE_STATIC = 0, SQLITE_TRANSIENT = -1;

    // A library beside the program; in the native binary, what is linked into it.
    private const string Library = "e_sqlite3";

    [LibraryImport(Library)]
    public static partial int sqlite3_open_v2(byte* path, out nint connection, int flags, byte* system);

    [LibraryImport(Library)]
    public static partial int sqlite3_close_v2(nint connection);

    [LibraryImport(Library)]
    public static partial int sqlite3_busy_timeout(nint connection, int milliseconds);

    [LibraryImport(Library)]
    public static partial int sqlite3_limit(nint connection, int which, int value);

    [LibraryImport(Library)]
    public static partial int sqlite3_system_errno(nint connection);

    [LibraryImport(Library)]
    public static partial int sqlite3_get_autocommit(nint connection);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_changes(nint connection);

    [LibraryImport(Library)]
    public static partial int sqlite3_prepare_v3(nint connection, byte* sql, int bytes, uint flags, out nint statement, out byte* rest);

    [LibraryImport(Library)]
    public static partial int sqlite3_step(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_reset(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_finalize(nint statement);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_bind_int64(nint statement, int index, long value);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_text(nint statement, int index, byte* text, int bytes, nint whose);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial long sqlite3_column_int64(nint statement, int column);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_column_text(nint statement, int column);

    [LibraryImport(Library)]
    public static partial int sqlite3_column_bytes(nint statement, int column);
}
