using System.Globalization;
using System.Text;

namespace Portico.Core.Background;

/// <summary>
/// The shape of the files in a data directory, as a number in a file. An older program must not take newer files for damaged ones and begin
/// anew: clients' recorded hellos would work again. A directory without the file is of version 1.
/// </summary>
public sealed class DataDirectoryVersion
{
    internal const string Name = "version";

    /// <summary>Is there while a process runs with the directory. What it holds does not matter.</summary>
    internal const string RunningName = "running";

    // There while a migration is under way, with the version that is left: what it has changed so far is no good to anybody.
    private const string MigratingName = "migrating";

    private const string Partial = ".partial";

    private const int First = 1, MostBytes = 32;

    private readonly IReadOnlyList<Action<string>> _migrations;

    /// <param name="migrations">
    /// Given the directory: the first makes version 2 of version 1, and so on. One that was cut short begins again with the old files;
    /// new ones that it had made are still there.
    /// </param>
    internal DataDirectoryVersion(IReadOnlyList<Action<string>> migrations) => _migrations = migrations;

    internal static DataDirectoryVersion OfThisProgram { get; } = new([]);

    private int Newest => First + _migrations.Count;

    /// <summary>The version that this program writes.</summary>
    public static int Present => OfThisProgram.Newest;

    /// <summary>The version of a directory; null = its file says something else.</summary>
    public static int? Of(string directory) => Read(directory);

    /// <summary>Why a start would refuse a directory for its version; null = it would not.</summary>
    public static string? ProblemOf(string directory) => OfThisProgram.Problem(directory);

    /// <summary>
    /// Before anything else in it is read, and while nobody else does: gives a directory without a version the present one's file, and
    /// brings an older one to the present version, of which a copy is kept inside it.
    /// </summary>
    /// <param name="directory">Empty = nothing is kept.</param>
    /// <param name="mayWrite">False = it can only be read.</param>
    /// <exception cref="DataDirectoryVersionException">It is of a newer version, or could not be brought to this one.</exception>
    internal void Enter(string directory, bool mayWrite)
    {
        if (directory.Length == 0) return;
        if (Problem(directory) is { } problem) throw new DataDirectoryVersionException(problem);
        if (!mayWrite) return;
        NoteUsedCopies(directory);
        if (File.Exists(Path.Combine(directory, MigratingName)) || Read(directory) < Newest)
            Migrate(directory);

        // Of the first version no start waits for the disk: without the file it is the same.
        else if (!File.Exists(Path.Combine(directory, Name)))
            _ = Write(directory, isDurable: Newest > First);
    }

    internal string? Problem(string directory)
    {
        if (directory.Length == 0) return null;
        var file = Path.Combine(directory, Name);
        if (Read(directory) is not { } version)
        {
            return $"{file} does not hold the number of a version, so it is not known what the data directory holds; "
                + "bring the file back, or give this proxy another dataDirectory";
        }

        if (version <= Newest) return null;
        var copies = Enumerable.Range(First, Newest).Reverse().Select(known => CopyOf(directory, known));
        var way = copies.FirstOrDefault(Directory.Exists) is { } copy
            ? $"set dataDirectory to {copy}, the copy that was kept before the change"
            : "give this one another dataDirectory: links stay the same, and what was learned begins anew";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"the data directory {directory} is of version {version}, written by a newer Portico, and this one understands versions up to "
                + $"{Newest}; start the newer one, or {way}");
    }

    // Null = the file says something else.
    private static int? Read(string directory) =>
        Path.Exists(Path.Combine(directory, Name)) ? Number(directory, Name) : First;

    private static int? Number(string directory, string name) =>
        new FileCache(directory).TryRead(name, MostBytes, out var body, out _)
            && int.TryParse(Encoding.UTF8.GetString(body).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= First
            ? number
            : null;

    private static string CopyOf(string directory, int version) =>
        Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"version-{version}"));

    private void Migrate(string directory)
    {
        var (version, begun) = (Read(directory) ?? First, true);
        var copy = CopyOf(directory, version);
        var problem = KeptFile.Guard(() =>
        {
            if (Number(directory, MigratingName) is { } cutShort)
            {
                (version, copy) = (cutShort, CopyOf(directory, cutShort));
                CopyFiles(copy, directory);
            }
            else
            {
                begun = false;
                Keep(directory, copy);
                // In this order: whatever is cut short, an older program takes no file of this one for its own.
                Need(Replace(directory, MigratingName, version, isDurable: true));
                begun = true;
                Need(Write(directory, isDurable: true));
            }

            foreach (var migrate in _migrations.Skip(version - First)) migrate(directory);
            Need(KeptFile.Remove(directory, MigratingName));
        });
        if (problem is null) return;
        var rest = begun ? $"{copy} holds it as it was" : "it is as it was";
        throw new DataDirectoryVersionException(string.Create(
            CultureInfo.InvariantCulture,
            $"the data directory {directory} of version {version} could not be brought to version {Newest}, {problem}; "
                + $"mend that and start again. Nothing is lost: {rest}"));
    }

    // Whoever went back to a copy let clients in of whom nothing is known here.
    private static void NoteUsedCopies(string directory)
    {
        foreach (var copy in Directory.Exists(directory) ? Directory.GetDirectories(directory, "version-*") : [])
        {
            if (copy.EndsWith(Partial, StringComparison.Ordinal) || CopyMark.IsThere(copy))
                continue;
            if (CopyMark.Put(directory) is null) _ = CopyMark.Put(copy);
        }
    }

    // Inside the directory: a service may write nowhere else, and in a container nothing else lasts.
    private static void Keep(string directory, string copy)
    {
        var partial = copy + Partial;
        if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        KeptFile.MakeDirectory(partial);
        CopyFiles(directory, partial);
        Need(CopyMark.Put(partial));
        if (Directory.Exists(copy)) Directory.Delete(copy, recursive: true);
        Directory.Move(partial, copy);
    }

    // On the disk when it returns: a copy is whole once it has its name.
    private static void CopyFiles(string from, string to)
    {
        foreach (var path in Directory.EnumerateFiles(from))
        {
            var name = Path.GetFileName(path);
            if (IsOfARunningProcess(name)) continue;
            using var source = File.OpenRead(path);
            Need(KeptFile.Replace(to, name, source.CopyTo, File.GetLastWriteTimeUtc(path)));
        }
    }

    private static bool IsOfARunningProcess(string name) =>
        name is DirectoryLock.Name or DirectoryLock.HolderName or CopyMark.Name or MigratingName or RunningName
        || name.EndsWith(".sock", StringComparison.Ordinal) || name.EndsWith(Partial, StringComparison.Ordinal);

    private string? Write(string directory, bool isDurable) => Replace(directory, Name, Newest, isDurable);

    private static string? Replace(string directory, string name, int number, bool isDurable) =>
        KeptFile.Replace(directory, name, string.Create(CultureInfo.InvariantCulture, $"{number}\n"), isDurable);

    private static void Need(string? problem)
    {
        if (problem is not null) throw new IOException(problem);
    }
}
