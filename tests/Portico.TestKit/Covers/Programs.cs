namespace Portico.TestKit.Covers;

/// <summary>Programs of other people that tests start; `tests/install-tools` installs them.</summary>
public static class Programs
{
    // Servers are kept where an ordinary user's PATH does not lead.
    private static readonly string[] Folders =
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries), "/usr/local/sbin", "/usr/sbin", "/sbin"];

    /// <summary>Where it is, or null.</summary>
    public static string? Find(string name) => Folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Where it is.</summary>
    /// <exception cref="FileNotFoundException">It is not installed.</exception>
    public static string Get(string name) => Find(name) ?? throw new FileNotFoundException($"{name} is not installed; tests/install-tools does that");
}
