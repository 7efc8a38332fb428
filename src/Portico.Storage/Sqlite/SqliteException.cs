using static Portico.Storage.Sqlite.Native;

namespace Portico.Storage.Sqlite;

/// <summary>
/// SQLite did not do what it was asked. What it says in words stays behind: it may quote what somebody wrote into the file.
/// </summary>
/// <param name="code">The extended result code.</param>
/// <param name="systemError">What the last system call of the connection said; 0 = nothing.</param>
internal sealed class SqliteException(int code, int systemError) : Exception($"SQLite: {code}, system: {systemError}")
{
    private const int NoRoom = 28, OverQuota = 122; // ENOSPC, EDQUOT

    private int Primary => code & 0xFF;

    /// <summary>The file holds what SQLite does not write.</summary>
    public bool IsDamage => Primary is SQLITE_CORRUPT or SQLITE_NOTADB;

    /// <summary>Somebody else has it.</summary>
    public bool IsBusy => Primary is SQLITE_BUSY or SQLITE_LOCKED;

    /// <summary>There is no room to write.</summary>
    public bool IsFull => Primary == SQLITE_FULL || (Primary is SQLITE_IOERR or SQLITE_CANTOPEN && systemError is NoRoom or OverQuota);

    /// <summary>For the operator, with what to do.</summary>
    /// <param name="path">Of the file.</param>
    public string Sentence(string path) => this switch
    {
        { IsDamage: true } =>
            $"{path} is damaged; at the next start it is set aside, and what can be read of it is taken over",
        { IsBusy: true } => $"{path} is locked by another process; end that one",
        { IsFull: true } => $"there is no room on the disk to write {path}; make room",
        _ when Primary is SQLITE_READONLY or SQLITE_PERM or SQLITE_AUTH or SQLITE_CANTOPEN =>
            $"{path} cannot be opened and written to; give this user the right to, in its directory too",
        _ when Primary == SQLITE_IOERR => $"the disk does not read or write {path} (error {systemError} of the system, {code} of SQLite)",
        _ when Primary == SQLITE_NOMEM => $"there is no memory for {path}",
        _ => $"{path} cannot be used (error {code} of SQLite)",
    };
}
