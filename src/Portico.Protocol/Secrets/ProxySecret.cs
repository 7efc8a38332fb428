using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Portico.Protocol.Secrets;

/// <summary>The 16 bytes that a client proves to know. Prints as a placeholder, compares in constant time.</summary>
public sealed class ProxySecret : IEquatable<ProxySecret>
{
    /// <summary>Length of the key part of every secret, in bytes.</summary>
    public const int Length = 16;

    // Inside the object, as there may be a hundred thousand: an array of its own is 32 bytes more for each.
    private readonly Bytes _key;

    private ProxySecret(ReadOnlySpan<byte> key) => key.CopyTo(_key);

    /// <summary>The 16 secret bytes. The caller must not copy them into anything that is logged.</summary>
    public ReadOnlySpan<byte> Key => _key;

    /// <summary>Copies <paramref name="key"/>.</summary>
    /// <exception cref="ArgumentException">Not 16 bytes: text is checked by <c>SecretText</c> before it gets here.</exception>
    public static ProxySecret Create(ReadOnlySpan<byte> key) =>
        key.Length == Length
            ? new ProxySecret(key)
            : throw new ArgumentException($"a secret has {Length} bytes, not {key.Length}", nameof(key));

    /// <inheritdoc/>
    public bool Equals(ProxySecret? other) => other is not null && CryptographicOperations.FixedTimeEquals(Key, other.Key);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ProxySecret);

    /// <summary>
    /// Of all bytes: secrets that differ little must not meet in one bucket.
    /// Seeded anew in each process, so it tells nothing about them.
    /// </summary>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Key);
        return hash.ToHashCode();
    }

    /// <summary>Never the bytes: logs, exceptions and debuggers print this.</summary>
    public override string ToString() => "[secret]";

    [InlineArray(Length)]
    private struct Bytes
    {
        private byte _first;
    }
}
