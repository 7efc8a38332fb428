using System.Security.Cryptography;
using Portico.Core.Background;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>
/// The key that signs tokens, made once: a token of before a restart is still known as one of ours, and so is scrubbed from a request
/// that would carry it to the public site.
/// </summary>
internal static class TokenKeyFile
{
    private const string Name = "web-token-key";

    /// <summary>Reads the key, or makes one. Where nothing can be written, one for this process.</summary>
    /// <param name="directory">The data directory; empty = none.</param>
    public static WebTokenKey ReadOrMake(string directory)
    {
        if (directory.Length > 0 && Read(Path.Combine(directory, Name)) is { } known) return known;
        Span<byte> key = stackalloc byte[WebTokenKey.Length];
        RandomNumberGenerator.Fill(key);
        var bytes = key.ToArray();
        if (directory.Length > 0) KeptFile.Replace(directory, Name, file => file.Write(bytes));
        var made = WebTokenKey.Create(key);
        CryptographicOperations.ZeroMemory(bytes);
        CryptographicOperations.ZeroMemory(key);
        return made;
    }

    private static WebTokenKey? Read(string path)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            var key = bytes.Length == WebTokenKey.Length ? WebTokenKey.Create(bytes) : null;
            CryptographicOperations.ZeroMemory(bytes);
            return key;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
