namespace Portico.TestKit;

/// <summary>The folder of the solution file, for tests that look at the repository itself.</summary>
public static class RepositoryRoot
{
    private const string Solution = "Portico.slnx";

    /// <summary>Found by walking up from the test's own binaries.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, Solution)))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"no {Solution} above {AppContext.BaseDirectory}");
    }
}
