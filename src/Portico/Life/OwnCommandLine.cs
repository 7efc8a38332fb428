using System.Collections.Immutable;
using System.Text;

namespace Portico.Life;

/// <summary>
/// How this process was started, so that a successor is started alike: by the path that was typed, where by now another version may be,
/// and not by the file that runs. `dotnet portico.dll` and the native program come out as they are.
/// </summary>
/// <param name="Program">The program, absolute.</param>
/// <param name="Arguments">Behind it.</param>
/// <param name="Directory">Where it was started.</param>
internal sealed record OwnCommandLine(string Program, ImmutableArray<string> Arguments, string Directory)
{
    private const string Words = "/proc/self/cmdline";

    /// <summary>Of this process; to be asked before anything changes its directory. Null where the system does not tell.</summary>
    public static OwnCommandLine? Read()
    {
        if (!File.Exists(Words)) return null;
        var words = Encoding.UTF8.GetString(File.ReadAllBytes(Words)).Split('\0')[..^1];
        if (words.Length == 0) return null;
        var directory = Environment.CurrentDirectory;
        return Find(words[0], directory, Environment.GetEnvironmentVariable("PATH")) is { } program
            ? new OwnCommandLine(program, [.. words[1..]], directory) : null;
    }

    /// <summary>As a shell finds a program.</summary>
    internal static string? Find(string word, string directory, string? path)
    {
        if (word.Contains('/')) return Path.GetFullPath(word, directory);
        var folders = (path ?? "").Split(':').Select(folder => Path.GetFullPath(folder.Length == 0 ? "." : folder, directory));
        return folders.Select(folder => Path.Combine(folder, word)).FirstOrDefault(File.Exists) ?? Environment.ProcessPath;
    }
}
