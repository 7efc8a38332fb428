using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Portico.Configuration;

/// <summary>Writes a file that is not there yet: for this user only, whole or not at all.</summary>
internal static class NewFile
{
    /// <summary>Writes it.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="fill">Writes the content.</param>
    /// <param name="endsBySignal">A signal ends the program at once. False = it asks for an orderly end, and this is finished.</param>
    /// <returns>False if there is such a file, perhaps since a moment: it stays.</returns>
    /// <exception cref="IOException">The place cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    public static bool TryWrite(string path, Action<Stream> fill, bool endsBySignal)
    {
        var directory = Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var partial = Path.Combine(directory, $".portico-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}.partial");
        // Whoever ends the program meanwhile leaves no half of a secret behind.
        using var interrupted = endsBySignal ? PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => File.Delete(partial)) : null;
        using var ended = endsBySignal ? PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => File.Delete(partial)) : null;
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(partial, options))
            {
                fill(file);
                file.Flush(flushToDisk: true); // a crash after the rename must not leave an empty file under the real name
            }

            // Links the new name and removes the old one, so a file that appeared in between is not replaced.
            File.Move(partial, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
