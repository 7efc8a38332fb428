using System.Security.Cryptography;

namespace Portico.Protocol.Secrets;

/// <summary>
/// One secret per domain, derived from a common one, so that the links of one
/// customer tell nothing about those of another (spec/02 section 9).
/// </summary>
public static class PerSniSecret
{
    private const int KeyDigits = 2 * ProxySecret.Length;
    private const int StackLimit = 1024;

    /// <summary>The first 16 bytes of SHA-256(salt, base secret as 32 lower-case hex digits, SNI).</summary>
    /// <param name="salt">Any bytes: the operator's text in UTF-8.</param>
    /// <param name="baseSecret">The listener's or user's own secret.</param>
    /// <param name="sni">The name exactly as in the hello: case counts.</param>
    public static ProxySecret Derive(ReadOnlySpan<byte> salt, ProxySecret baseSecret, ReadOnlySpan<byte> sni)
    {
        Span<byte> key = stackalloc byte[ProxySecret.Length];
        Derive(salt, baseSecret, sni, key);
        var secret = ProxySecret.Create(key);
        CryptographicOperations.ZeroMemory(key);
        return secret;
    }

    /// <summary>The same without allocating: for trying many base secrets on one hello.</summary>
    /// <param name="salt">As above.</param>
    /// <param name="baseSecret">See above.</param>
    /// <param name="sni">See above.</param>
    /// <param name="key">Takes the 16 bytes.</param>
    public static void Derive(ReadOnlySpan<byte> salt, ProxySecret baseSecret, ReadOnlySpan<byte> sni, Span<byte> key)
    {
        var length = salt.Length + KeyDigits + sni.Length;
        var hashed = length <= StackLimit ? stackalloc byte[StackLimit] : new byte[length];
        salt.CopyTo(hashed);
        Convert.TryToHexStringLower(baseSecret.Key, hashed[salt.Length..], out _);
        sni.CopyTo(hashed[(salt.Length + KeyDigits)..]);

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(hashed[..length], digest);
        digest[..ProxySecret.Length].CopyTo(key);
        CryptographicOperations.ZeroMemory(hashed[..length]);
        CryptographicOperations.ZeroMemory(digest);
    }
}
