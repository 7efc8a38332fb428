namespace Portico.Core.Background;

/// <summary>
/// Says that a data directory is a copy with which no process has begun: where the original was, a proxy may have let clients in since, of
/// which nothing is known here.
/// </summary>
internal static class CopyMark
{
    public const string Name = "copied";

    /// <summary>Marks a copy.</summary>
    /// <returns>Null, or why it could not be marked.</returns>
    public static string? Put(string directory) => KeptFile.Replace(directory, Name, _ => { });

    /// <summary>Whether a directory is one.</summary>
    public static bool IsThere(string directory) => File.Exists(Path.Combine(directory, Name));
}
