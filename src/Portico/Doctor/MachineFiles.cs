namespace Portico.Doctor;

/// <summary>What the kernel tells in files: /proc and /sys, below a root that tests choose.</summary>
internal sealed class MachineFiles(string root = "/")
{
    // A busy machine has a line for each of its connections.
    private const int MostLines = 500_000, MostText = 64 * 1024;

    /// <summary>A short file; null if it is not there or this user may not read it.</summary>
    public string? Read(string path)
    {
        try
        {
            using var file = new StreamReader(PathOf(path));
            var text = new char[MostText];
            return new string(text, 0, file.ReadBlock(text));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The number that a file consists of; null if it does not.</summary>
    public long? Number(string path) => long.TryParse(Read(path)?.Trim(), out var number) ? number : null;

    /// <summary>A long file, line by line; none if it cannot be read.</summary>
    public IEnumerable<string> Lines(string path)
    {
        StreamReader? file = null;
        try
        {
            file = new StreamReader(PathOf(path));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        using (file)
        {
            for (var i = 0; i < MostLines && file.ReadLine() is { } line; i++) yield return line;
        }
    }

    /// <summary>Where links lead that lie in a folder: the descriptors of a process; none if this user may not look.</summary>
    public IEnumerable<string> LinksIn(string folder)
    {
        FileInfo[] files;
        try
        {
            files = new DirectoryInfo(PathOf(folder)).GetFiles();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return [];
        }

        return files.Select(TargetOf).OfType<string>();
    }

    /// <summary>The numbers of all processes.</summary>
    public IEnumerable<int> Processes()
    {
        try
        {
            return [.. new DirectoryInfo(PathOf("proc")).GetDirectories()
                .Select(folder => int.TryParse(folder.Name, out var id) ? id : 0).Where(id => id > 0)];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? TargetOf(FileInfo file)
    {
        try
        {
            return file.LinkTarget;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null; // closed meanwhile
        }
    }

    private string PathOf(string path) => Path.Combine(root, path);
}
