using System.Runtime.CompilerServices;

namespace Portico.Core.Tests.Docs;

/// <summary>The files of the checkout that the tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] NotOurs = ["bin", "obj", "node_modules", "TestResults", "data"];

    /// <summary>
    /// The folder of Portico.slnx, found upwards from the test's output,
    /// or from this file where the output lies elsewhere.
    /// </summary>
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory)
        ?? FindRoot(ThisFile())
        ?? throw new InvalidOperationException("no Portico.slnx above the tests");

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Whether a file or folder is there.</summary>
    public static bool Has(string path) => Path.Exists(Path.Combine(Root, path));

    /// <summary>
    /// Paths relative to the root, of files whose name ends in <paramref name="extension"/>,
    /// without build output, tools and hidden folders.
    /// </summary>
    public static IEnumerable<string> Files(string extension, string under = "") =>
        Walk(Path.Combine(Root, under)).Where(file => file.EndsWith(extension, StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Root, file)).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder)) yield return file;
        foreach (var child in Directory.EnumerateDirectories(folder))
        {
            var name = Path.GetFileName(child);
            if (name.StartsWith('.') || NotOurs.Contains(name)) continue;
            foreach (var file in Walk(child)) yield return file;
        }
    }

    private static string? FindRoot(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Portico.slnx"))) return folder.FullName;
        }

        return null;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
