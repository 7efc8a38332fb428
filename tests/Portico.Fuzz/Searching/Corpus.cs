using Portico.Fuzz.Checking;

namespace Portico.Fuzz.Searching;

/// <summary>A known input.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Bytes">The input itself.</param>
internal sealed record CorpusItem(string Name, byte[] Bytes);

/// <summary>
/// The inputs that searches start from and that every run replays: those of the vectors,
/// and the files of Corpus/TARGET/. There .hex is hexadecimal with blanks and lines
/// that begin with #, .txt is the input as it stands without the last line end.
/// </summary>
internal static class Corpus
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Corpus");

    public static IEnumerable<CorpusItem> Of(Target target) =>
        target.Seeds.Select((bytes, index) => new CorpusItem($"vector {index}", bytes)).Concat(Files(target.Name));

    /// <summary>The files of one target, in an order that does not depend on the file system.</summary>
    public static IEnumerable<CorpusItem> Files(string target)
    {
        var folder = Path.Combine(Folder, target);
        return Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder)
                .Order(StringComparer.Ordinal).Select(path => new CorpusItem(Path.GetFileName(path), Read(path)))
            : [];
    }

    private static byte[] Read(string path) => Path.GetExtension(path) switch
    {
        ".hex" => Convert.FromHexString(string.Concat(
            File.ReadLines(path).Where(line => !line.StartsWith('#')).SelectMany(line => line.Where(c => !char.IsWhiteSpace(c))))),
        ".txt" => File.ReadAllBytes(path) is [.. var text, (byte)'\n'] ? text : File.ReadAllBytes(path),
        var other => throw new InvalidDataException($"{path}: no input ends in {other}"),
    };
}
