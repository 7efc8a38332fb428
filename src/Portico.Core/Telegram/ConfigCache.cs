namespace Portico.Core.Telegram;

/// <summary>The last good copies of what Telegram gave, in the data directory: a start without the network lives on them.</summary>
internal sealed class ConfigCache(string directory)
{
    private const UnixFileMode OnlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Reads a copy. False if there is none or it cannot be read.</summary>
    /// <param name="name">File name.</param>
    /// <param name="limit">Bytes that it may have; a longer file is none of ours.</param>
    /// <param name="body">All bytes.</param>
    /// <param name="asOf">When it came from Telegram.</param>
    public bool TryRead(string name, int limit, out byte[] body, out DateTimeOffset asOf)
    {
        (body, asOf) = ([], default);
        var file = new FileInfo(Path.Combine(directory, name));
        try
        {
            if (!file.Exists || file.Length > limit) return false;
            body = File.ReadAllBytes(file.FullName);
            asOf = new DateTimeOffset(file.LastWriteTimeUtc, TimeSpan.Zero);
            return body.Length <= limit;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Replaces a copy, whole or not at all, readable by this user only.</summary>
    /// <returns>Null, or why it could not be written.</returns>
    public string? Write(string name, byte[] body, DateTimeOffset asOf)
    {
        var path = Path.Combine(directory, name);
        var partial = path + ".partial";
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
            else Directory.CreateDirectory(directory, OnlyOwner | UnixFileMode.UserExecute);

            // Left over from a crash; a new one never writes through a link that somebody put there.
            File.Delete(partial);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OnlyOwner;
            using (var file = new FileStream(partial, options))
            {
                file.Write(body);
                file.Flush(flushToDisk: true); // a crash after the rename must not leave an empty file under the real name
            }

            File.SetLastWriteTimeUtc(partial, asOf.UtcDateTime);
            File.Move(partial, path, overwrite: true);
            return null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return problem is UnauthorizedAccessException ? "permission denied" : problem.Message.ReplaceLineEndings(" ");
        }
    }
}
