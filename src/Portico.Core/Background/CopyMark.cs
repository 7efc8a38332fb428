using System.Globalization;
using System.Text;

namespace Portico.Core.Background;

/// <summary>
/// Says that a data directory is a copy: where the original was, a proxy may have let clients in since, of which nothing is known here.
/// It holds when the first process began with the copy, Unix seconds, once one has.
/// </summary>
internal static class CopyMark
{
    public const string Name = "copied";

    private const int MostBytes = 32;

    /// <summary>Marks a copy that no process has begun with.</summary>
    /// <returns>Null, or why it could not be marked.</returns>
    public static string? Put(string directory) => KeptFile.Replace(directory, Name, _ => { });

    /// <summary>Remembers when a process began with it.</summary>
    /// <returns>Null, or why it could not be written.</returns>
    public static string? Began(string directory, long unixSeconds) => KeptFile.Replace(
        directory, Name, file => file.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{unixSeconds}\n"))),
        isDurable: false);

    /// <summary>Whether a directory is a copy, and when the first process began with it.</summary>
    /// <param name="directory">Data directory.</param>
    /// <param name="unixSeconds">The present.</param>
    /// <param name="began">The present, if none has, or if that is not known.</param>
    public static bool IsThere(string directory, long unixSeconds, out long began)
    {
        began = unixSeconds;
        if (!File.Exists(Path.Combine(directory, Name))) return false;
        if (new FileCache(directory).TryRead(Name, MostBytes, out var body, out _)
            && long.TryParse(Encoding.UTF8.GetString(body).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var written))
            began = Math.Min(written, unixSeconds); // the clock may have gone back
        return true;
    }
}
