using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Portico.Protocol.Crypto;

/// <summary>
/// AES-256-CBC without padding over whole blocks, in place, as the link to a middle
/// proxy uses it (spec/03; NIST SP 800-38A section 6.2). The caller keeps key and iv;
/// each call carries the iv on, so a stream may be cut at any block border.
/// </summary>
public static class AesCbc256
{
    /// <summary>Bytes come and go in multiples of this.</summary>
    public const int BlockLength = 16;

    /// <summary>Length of a key, in bytes.</summary>
    public const int KeyLength = 32;

    // Four key schedules cost as much as some 300 bytes of one chain: measured,
    // 64-byte chains are slower in lock step, 1 KB takes 0.6 of the time of two and 0.3 of four.
    private const int LeastForLockStep = 256;

    /// <summary>Encrypts <paramref name="blocks"/> in place.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="iv">16 bytes; afterwards the iv for the next call, which is the last block of ciphertext.</param>
    /// <param name="blocks">A multiple of 16 bytes, possibly none.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public static void Encrypt(ReadOnlySpan<byte> key, Span<byte> iv, Span<byte> blocks)
    {
        CheckLengths(key, iv, blocks);
        if (blocks.IsEmpty)
            return;
        if (AesRoundKeys.IsSupported)
            AesCbcX86.Encrypt(
                ref MemoryMarshal.GetReference(key), ref MemoryMarshal.GetReference(iv),
                ref MemoryMarshal.GetReference(blocks), (nuint)blocks.Length);
        else
            EncryptPortable(key, iv, blocks);
    }

    /// <summary>
    /// Encrypts four chains in place, block by block in turn: a chain alone keeps the processor
    /// waiting most of the time. The result of each is that of <see cref="Encrypt"/>.
    /// </summary>
    /// <param name="a">A chain that overlaps no other; one without blocks is left alone.</param>
    /// <param name="b">As <paramref name="a"/>.</param>
    /// <param name="c">As <paramref name="a"/>.</param>
    /// <param name="d">As <paramref name="a"/>.</param>
    public static void EncryptInLockStep(CbcChain a, CbcChain b, CbcChain c, CbcChain d)
    {
        if (!AesRoundKeys.IsSupported)
        {
            a.EncryptPortable();
            b.EncryptPortable();
            c.EncryptPortable();
            d.EncryptPortable();
            return;
        }

        // Five exchanges sort any four.
        LongerFirst(ref a, ref b);
        LongerFirst(ref c, ref d);
        LongerFirst(ref a, ref c);
        LongerFirst(ref b, ref d);
        LongerFirst(ref b, ref c);
        if (b.Length >= LeastForLockStep)
        {
            AesCbcX86.EncryptInLockStep(a, b, c, d);
            return;
        }

        a.Encrypt();
        b.Encrypt();
        c.Encrypt();
        d.Encrypt();
    }

    private static void LongerFirst(ref CbcChain first, ref CbcChain second)
    {
        if (first.Length >= second.Length)
            return;
        var shorter = first;
        first = second;
        second = shorter;
    }

    /// <summary>Decrypts <paramref name="blocks"/> in place.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="iv">16 bytes; afterwards the iv for the next call, which is the last block of ciphertext.</param>
    /// <param name="blocks">A multiple of 16 bytes, possibly none.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public static void Decrypt(ReadOnlySpan<byte> key, Span<byte> iv, Span<byte> blocks)
    {
        CheckLengths(key, iv, blocks);
        if (blocks.IsEmpty)
            return;
        if (AesRoundKeys.IsSupported)
            AesCbcX86.Decrypt(
                ref MemoryMarshal.GetReference(key), ref MemoryMarshal.GetReference(iv),
                ref MemoryMarshal.GetReference(blocks), (nuint)blocks.Length);
        else
            DecryptPortable(key, iv, blocks);
    }

    // The twins for processors without AES-NI set up a cipher object per call.
    internal static void EncryptPortable(ReadOnlySpan<byte> key, Span<byte> iv, Span<byte> blocks)
    {
        if (blocks.IsEmpty)
            return;
        using var aes = Aes.Create();
        aes.SetKey(key);
        aes.EncryptCbc(blocks, iv, blocks, PaddingMode.None);
        blocks[^BlockLength..].CopyTo(iv);
    }

    internal static void DecryptPortable(ReadOnlySpan<byte> key, Span<byte> iv, Span<byte> blocks)
    {
        if (blocks.IsEmpty)
            return;
        Span<byte> nextIv = stackalloc byte[BlockLength];
        blocks[^BlockLength..].CopyTo(nextIv);
        using var aes = Aes.Create();
        aes.SetKey(key);
        aes.DecryptCbc(blocks, iv, blocks, PaddingMode.None);
        nextIv.CopyTo(iv);
    }

    internal static void CheckLengths(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, ReadOnlySpan<byte> blocks)
    {
        if (key.Length != KeyLength)
            throw new ArgumentException("An AES-256 key has 32 bytes.", nameof(key));
        if (iv.Length != BlockLength)
            throw new ArgumentException("An iv has 16 bytes.", nameof(iv));
        if (blocks.Length % BlockLength != 0)
            throw new ArgumentException("Only whole blocks of 16 bytes can be chained.", nameof(blocks));
    }
}
