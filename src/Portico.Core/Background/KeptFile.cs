using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Portico.Core.Background;

/// <summary>A file of the data directory: replaced whole or not at all, readable by this user only.</summary>
internal static class KeptFile
{
    private const UnixFileMode OnlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Replaces a file.</summary>
    /// <param name="directory">Made if it is not there.</param>
    /// <param name="name">File name.</param>
    /// <param name="fill">Writes the content.</param>
    /// <param name="asOf">The time that the file is to carry; null = now.</param>
    /// <param name="isDurable">The disk has it when this returns. It takes milliseconds, tens where others write.</param>
    /// <returns>Null, or why it could not be written.</returns>
    public static string? Replace(
        string directory, string name, Action<Stream> fill, DateTimeOffset? asOf = null, bool isDurable = true) => Guard(() =>
    {
        var path = Path.Combine(directory, name);
        var partial = path + ".partial";
        MakeDirectory(directory);

        // Left over from a crash; a new one never writes through a link that somebody put there.
        File.Delete(partial);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OnlyOwner;
        try
        {
            using (var file = new FileStream(partial, options))
            {
                fill(file);
                file.Flush(flushToDisk: isDurable); // a crash after the rename must not leave an empty file under the real name
            }

            if (asOf is { } time) File.SetLastWriteTimeUtc(partial, time.UtcDateTime);
            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial); // a disk that is full gets its room back
            throw;
        }
    });

    /// <summary>Replaces a file by a line or some.</summary>
    /// <inheritdoc cref="Replace(string, string, Action{Stream}, DateTimeOffset?, bool)"/>
    public static string? Replace(string directory, string name, string text, bool isDurable) =>
        Replace(directory, name, file => file.Write(Encoding.UTF8.GetBytes(text)), isDurable: isDurable);

    /// <summary>Removes a file, if it is there.</summary>
    /// <returns>Null, or why it is still there.</returns>
    public static string? Remove(string directory, string name) => Guard(() =>
    {
        if (Directory.Exists(directory)) File.Delete(Path.Combine(directory, name));
    });

    /// <summary>Makes a directory for this user only, and those above it, where they are not there.</summary>
    public static void MakeDirectory(string directory)
    {
        if (Directory.Exists(directory)) return;
        if (Path.GetDirectoryName(directory) is { Length: > 0 } above) MakeDirectory(above);
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else Directory.CreateDirectory(directory, OnlyOwner | UnixFileMode.UserExecute);
    }

    /// <summary>Removes a directory that holds nothing.</summary>
    /// <returns>Null, or why it is still there.</returns>
    public static string? RemoveEmptyDirectory(string directory) => Guard(() => Directory.Delete(directory, recursive: false));

    /// <summary>Makes a file that only this user can read, to write to at places; it must not be there.</summary>
    public static SafeFileHandle Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OnlyOwner;
        new FileStream(path, options).Dispose();
        return OpenToWrite(path);
    }

    /// <summary>Opens a file that is there, to write to at places.</summary>
    public static SafeFileHandle OpenToWrite(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Does what a full disk or a missing permission can prevent.</summary>
    /// <returns>Null, or what prevented it.</returns>
    public static string? Guard(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return problem is UnauthorizedAccessException ? "permission denied" : problem.Message.ReplaceLineEndings(" ");
        }
    }
}
