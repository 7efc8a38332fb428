using System.Security.Cryptography;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.FakeTls;

/// <summary>
/// HMAC-SHA256 with one secret, key set up once. Belongs to one thread.
/// Takes about 1 KB of memory outside the heap, so a loop keeps one per secret only where these are few.
/// </summary>
public sealed class HmacKey : IDisposable
{
    /// <summary>Length of a digest, in bytes.</summary>
    public const int DigestLength = 32;

    private readonly IncrementalHash _hash;

    /// <summary>Sets up the key schedule.</summary>
    public HmacKey(ProxySecret secret)
    {
        Secret = secret;
        _hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret.Key);
    }

    /// <summary>The secret behind the key.</summary>
    public ProxySecret Secret { get; }

    /// <summary>Adds bytes to the message of the digest under way.</summary>
    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <summary>Writes the 32-byte digest of everything appended and starts anew.</summary>
    public void Finish(Span<byte> digest) => _hash.GetHashAndReset(digest);

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();
}
