using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Portico.Protocol.Crypto;

namespace Portico.Protocol.Obfuscation;

/// <summary>
/// Where an AES-256-CTR stream begins: a 32-byte key followed by the 16-byte
/// first counter block, stored inline. Prints as a placeholder.
/// </summary>
public struct AesKeyIv
{
    /// <summary>Length of the key, in bytes.</summary>
    public const int KeyLength = 32;

    /// <summary>Length of the first counter block, in bytes.</summary>
    public const int IvLength = 16;

    private Bytes _bytes;

    /// <summary>Copies both parts.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="iv">16 bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">A part is too short.</exception>
    public AesKeyIv(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv)
    {
        Span<byte> bytes = _bytes;
        key[..KeyLength].CopyTo(bytes);
        iv[..IvLength].CopyTo(bytes[KeyLength..]);
    }

    /// <summary>The 32 key bytes.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Key => ((ReadOnlySpan<byte>)_bytes)[..KeyLength];

    /// <summary>The 16 bytes of the first counter block.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Iv => ((ReadOnlySpan<byte>)_bytes)[KeyLength..];

    /// <summary>A stream at position 0.</summary>
    public readonly AesCtr Start() => new(Key, Iv);

    /// <summary>Never the bytes: logs, exceptions and debuggers print this.</summary>
    public override readonly string ToString() => "[key]";

    /// <summary>
    /// Writes all 48 bytes in reverse order: the key material of a header
    /// whose answers shall use this key (spec/04 section 5).
    /// </summary>
    internal readonly void CopyReversedTo(Span<byte> destination)
    {
        ((ReadOnlySpan<byte>)_bytes).CopyTo(destination);
        destination[..(KeyLength + IvLength)].Reverse();
    }

    [InlineArray(KeyLength + IvLength)]
    private struct Bytes
    {
        private byte _first;
    }
}
