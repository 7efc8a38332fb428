namespace Portico.Core.Background;

/// <summary>The last good copies of what Telegram gave, in the data directory: a start without the network lives on them.</summary>
internal sealed class FileCache(string directory)
{
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
    public string? Write(string name, byte[] body, DateTimeOffset asOf) =>
        KeptFile.Replace(directory, name, file => file.Write(body), asOf);
}
