using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Portico.Protocol.Crypto;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// One direction of an encrypted link: AES-256-CBC as one chain over all frames (spec/03 section 2.2).
/// A mutable value that lives inside its link: a copy of one in use would fall out of step. Not thread-safe.
/// </summary>
public struct MiddleProxyCipher
{
    /// <summary>Bytes come and go in multiples of this; <see cref="FullFrame.PaddingLength"/> fills the last block.</summary>
    public const int BlockLength = AesCbc256.BlockLength;

    private Bytes _bytes;

    /// <summary>Starts the chain.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="iv">16 bytes.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public MiddleProxyCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv)
    {
        if (key.Length != AesCbc256.KeyLength)
            throw new ArgumentException("An AES-256 key has 32 bytes.", nameof(key));
        if (iv.Length != BlockLength)
            throw new ArgumentException("An iv has 16 bytes.", nameof(iv));
        key.CopyTo(_bytes);
        iv.CopyTo(Iv);
    }

    [UnscopedRef]
    private ReadOnlySpan<byte> Key => ((ReadOnlySpan<byte>)_bytes)[..AesCbc256.KeyLength];

    // The ciphertext block before the next one.
    [UnscopedRef]
    private Span<byte> Iv => ((Span<byte>)_bytes)[AesCbc256.KeyLength..];

    /// <summary>Encrypts the next blocks in place.</summary>
    /// <param name="blocks">A multiple of 16 bytes, possibly none.</param>
    /// <exception cref="ArgumentException">Not whole blocks.</exception>
    public void Encrypt(Span<byte> blocks) => AesCbc256.Encrypt(Key, Iv, blocks);

    /// <summary>
    /// Encrypts the next blocks of four links in place, as <see cref="Encrypt"/>
    /// does for one, in little more than half the time of two.
    /// </summary>
    /// <param name="a">The cipher of a link.</param>
    /// <param name="blocksOfA">A multiple of 16 bytes, possibly none.</param>
    /// <param name="b">Another one.</param>
    /// <param name="blocksOfB">As for the first.</param>
    /// <param name="c">Another one.</param>
    /// <param name="blocksOfC">As for the first.</param>
    /// <param name="d">Another one.</param>
    /// <param name="blocksOfD">As for the first.</param>
    /// <exception cref="ArgumentException">Not whole blocks.</exception>
    public static void EncryptInLockStep(
        ref MiddleProxyCipher a, Span<byte> blocksOfA, ref MiddleProxyCipher b, Span<byte> blocksOfB,
        ref MiddleProxyCipher c, Span<byte> blocksOfC, ref MiddleProxyCipher d, Span<byte> blocksOfD) =>
        AesCbc256.EncryptInLockStep(a.Chain(blocksOfA), b.Chain(blocksOfB), c.Chain(blocksOfC), d.Chain(blocksOfD));

    /// <summary>Decrypts the next blocks in place.</summary>
    /// <param name="blocks">A multiple of 16 bytes, possibly none; what is left over waits for more bytes.</param>
    /// <exception cref="ArgumentException">Not whole blocks.</exception>
    public void Decrypt(Span<byte> blocks) => AesCbc256.Decrypt(Key, Iv, blocks);

    [UnscopedRef]
    private CbcChain Chain(Span<byte> blocks) => new(Key, Iv, blocks);

    /// <summary>Never the bytes: logs, exceptions and debuggers print this.</summary>
    public override readonly string ToString() => "[key]";

    [InlineArray(AesCbc256.KeyLength + AesCbc256.BlockLength)]
    private struct Bytes
    {
        private byte _first;
    }
}
