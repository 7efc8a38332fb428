using System.Globalization;
using Portico.Core;
using Portico.Core.Background;
using Portico.Core.Users;
using Portico.Storage.Sqlite;

namespace Portico.Storage.Schema;

/// <summary>The file, and those beside it that bear its name.</summary>
internal sealed class DatabaseFile(string directory, DatabaseSchema schema)
{
    /// <summary>Its name in the data directory.</summary>
    public const string Name = StateFiles.UserDatabase;

    // SQLite's own: what was committed and not yet written into the file, and an index of it.
    private const string Journal = "-wal", JournalIndex = "-shm";

    private const string DamagedSuffix = ".damaged";

    // A flush comes again ten seconds later, so it need not wait long for somebody who looks at the file.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(0.5);

    /// <summary>Where it is.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(directory, Name));

    /// <summary>Says that the file was found damaged while a process ran with it.</summary>
    private string DamagedPath => Path + DamagedSuffix;

    /// <summary>The good parts of a damaged file, whole, about to take its place.</summary>
    private string SalvagedPath => Path + ".salvaged";

    /// <summary>Whether there is a file, with something in it.</summary>
    public bool IsThere() => new FileInfo(Path) is { Exists: true, Length: > 0 };

    /// <summary>Goes on with a repair that was cut short between two files that bear the name.</summary>
    public void FinishRepair()
    {
        if (Exists() || !File.Exists(SalvagedPath)) return;

        // The journal of the file that was set aside; the good parts were read with it.
        File.Delete(Path + Journal);
        File.Delete(Path + JournalIndex);
        File.Move(SalvagedPath, Path);
        File.Delete(DamagedPath);
    }

    /// <summary>Whether a process left word that the file is damaged.</summary>
    public bool IsMarkedDamaged() => File.Exists(DamagedPath);

    /// <summary>Leaves word that the file is damaged. Without it, the next start finds out only about what it reads.</summary>
    public void MarkDamaged() => _ = KeptFile.Replace(directory, Name + DamagedSuffix, "", isDurable: false);

    /// <summary>
    /// Opens the file for its owner, makes it if it is not there, and brings it up to date.
    /// </summary>
    /// <exception cref="StoreException">It is of a newer version, or not one of ours.</exception>
    public Connection OpenToWrite()
    {
        if (!Exists()) MakeEmpty(Path);
        var connection = Tune(Connection.Open(Path, Patience));
        try
        {
            var version = CheckedVersion(connection);
            if (version > 0 && version < schema.Newest) CopyTo(BeforePath(version));

            // Not by default: the file remembers it. Only so do readers and the writer not wait for each other.
            connection.Execute("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 4000");
            if (version < schema.Newest) schema.Enter(connection);
            if (!schema.IsThatOf(connection)) throw NotOurs();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens the file beside its owner.</summary>
    /// <param name="patience">How long to wait while somebody else writes.</param>
    /// <exception cref="StoreException">It is not of the version that this program writes.</exception>
    public Connection OpenBeside(TimeSpan? patience = null) => OpenChecked("", patience ?? Patience);

    /// <summary>Opens the file, which nobody else may have, where there is no room for the files that SQLite puts beside it.</summary>
    /// <exception cref="StoreException">It is not of the version that this program writes.</exception>
    public Connection OpenAlone() => OpenChecked("PRAGMA locking_mode = EXCLUSIVE", Patience);

    /// <summary>Makes a copy of one moment, whatever is written meanwhile. The target must not be there.</summary>
    public void CopyTo(string target)
    {
        var partial = target + ".partial";
        File.Delete(partial);
        File.Delete(partial + "-journal");
        MakeEmpty(partial);
        try
        {
            using (var connection = Tune(Connection.Open(Path, Patience, mayCopy: true)))
            using (var copy = connection.Prepare("VACUUM INTO ?1"))
                copy.Bind(1, partial).Run();
            File.Move(partial, target, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>
    /// Puts the good parts of a damaged file in its place, and the file aside. Cut short at any moment, the next start goes on.
    /// </summary>
    /// <param name="fill">Writes the good parts into a new file of the present version.</param>
    /// <param name="close">Closes what still has the damaged file open.</param>
    /// <param name="now">Goes into the name.</param>
    /// <returns>Where the damaged file is now.</returns>
    public string Replace(Action<Connection> fill, Action close, DateTimeOffset now)
    {
        var partial = Path + ".partial";
        foreach (var left in (string[])[partial, partial + "-journal", SalvagedPath]) File.Delete(left);
        MakeEmpty(partial);
        using (var connection = Tune(Connection.Open(partial, Patience)))
        {
            schema.Enter(connection);
            connection.Transact(() => fill(connection));
        }

        close();
        File.Move(partial, SalvagedPath);
        var aside = AsidePath(now);

        // Its journal goes by its name, and a new file must never meet an old one's.
        File.Move(Path, aside);
        if (File.Exists(Path + Journal)) File.Move(Path + Journal, aside + Journal);
        FinishRepair();
        return aside;
    }

    /// <summary>Opens the file as it is, whatever its state.</summary>
    public Connection OpenDamaged()
    {
        var connection = Tune(Connection.Open(Path, Patience));

        // Without this, nothing is read of a file that was cut off. Nothing is written either way.
        connection.Execute("PRAGMA writable_schema = ON");
        return connection;
    }

    private Connection OpenChecked(string setting, TimeSpan patience)
    {
        var connection = Tune(Connection.Open(Path, patience));
        try
        {
            connection.Execute(setting);
            if (CheckedVersion(connection) != schema.Newest || !schema.IsThatOf(connection))
                throw NotOurs();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static Connection Tune(Connection connection)
    {
        // A stranger's schema runs nothing; a page that makes no sense is noticed; what is removed is overwritten.
        connection.Execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA secure_delete = FAST");
        return connection;
    }

    private static void MakeEmpty(string path)
    {
        if (System.IO.Path.GetDirectoryName(path) is { Length: > 0 } above)
            KeptFile.MakeDirectory(above);
        KeptFile.Create(path).Dispose();
    }

    private bool Exists() => File.Exists(Path);

    private int CheckedVersion(Connection connection)
    {
        var version = DatabaseSchema.VersionOf(connection);
        if (version == 0 && connection.Number("SELECT count(*) FROM sqlite_schema") == 0) return 0;
        if (version <= 0 || !DatabaseSchema.IsOurs(connection)) throw NotOurs();
        if (version <= schema.Newest) return version;
        var copies = Enumerable.Range(1, schema.Newest).Reverse().Select(BeforePath);
        var way = copies.FirstOrDefault(File.Exists) is { } copy
            ? $"stop this one, and put {copy} in its place, the copy that was kept before the change"
            : "move the file away: managed users begin anew then";
        throw new StoreException(string.Create(
            CultureInfo.InvariantCulture,
            $"{Path} is of version {version}, written by a newer Portico, and this one understands versions up to {schema.Newest}; "
                + $"start the newer one, or {way}"));
    }

    private StoreException NotOurs() => new($"{Path} does not hold what Portico keeps of users; move it away, or put a copy in its place");

    private string BeforePath(int version) => string.Create(CultureInfo.InvariantCulture, $"{Path}.before-{version}");

    private string AsidePath(DateTimeOffset now)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{Path}.broken-{now.UtcDateTime:yyyyMMdd-HHmmss}");
        var free = path;
        for (var number = 2; System.IO.Path.Exists(free); number++) free = string.Create(CultureInfo.InvariantCulture, $"{path}-{number}");
        return free;
    }
}
