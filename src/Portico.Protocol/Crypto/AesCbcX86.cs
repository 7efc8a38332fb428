using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Portico.Protocol.Crypto;

/// <summary>
/// <see cref="AesCbc256"/> by AES-NI. References instead of spans keep bounds
/// checks out of the loops; lengths are whole blocks and at least one.
/// </summary>
internal static class AesCbcX86
{
    private const int BlockLength = AesCbc256.BlockLength;

    // Each block waits for the one before: nothing to overlap within one chain, so one block at a time.
    [SkipLocalsInit]
    public static void Encrypt(ref byte key, ref byte iv, ref byte blocks, nuint length)
    {
        AesRoundKeys.Expand(ref key, out var keys);
        var chained = Vector128.LoadUnsafe(ref iv);
        for (nuint at = 0; at != length; at += BlockLength)
        {
            chained = keys.Encrypt(chained ^ Vector128.LoadUnsafe(ref blocks, at));
            chained.StoreUnsafe(ref blocks, at);
        }
        chained.StoreUnsafe(ref iv);
    }

    // Longest chain first. Beyond the end of a chain its lane goes on idling, since four lanes take little longer than two.
    [SkipLocalsInit]
    public static void EncryptInLockStep(CbcChain a, CbcChain b, CbcChain c, CbcChain d)
    {
        AesRoundKeys.Expand(ref a.Key, out var keysA);
        AesRoundKeys.Expand(ref b.Key, out var keysB);
        AesRoundKeys.Expand(ref c.Key, out var keysC);
        AesRoundKeys.Expand(ref d.Key, out var keysD);
        EncryptLanes(a, in keysA, b, in keysB, c, in keysC, d, in keysD);
    }

    // Not inlined, for the reason DecryptBlocks is not.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void EncryptLanes(
        CbcChain a, in AesRoundKeys keysA, CbcChain b, in AesRoundKeys keysB,
        CbcChain c, in AesRoundKeys keysC, CbcChain d, in AesRoundKeys keysD)
    {
        var (lastA, lastB, lastC, lastD) = (
            Vector128.LoadUnsafe(ref a.Iv), Vector128.LoadUnsafe(ref b.Iv),
            Vector128.LoadUnsafe(ref c.Iv), Vector128.LoadUnsafe(ref d.Iv));
        nuint at = 0;
        for (; at != d.Length; at += BlockLength)
        {
            lastA ^= Vector128.LoadUnsafe(ref a.Blocks, at);
            lastB ^= Vector128.LoadUnsafe(ref b.Blocks, at);
            lastC ^= Vector128.LoadUnsafe(ref c.Blocks, at);
            lastD ^= Vector128.LoadUnsafe(ref d.Blocks, at);
            AesRoundKeys.EncryptEach(in keysA, ref lastA, in keysB, ref lastB, in keysC, ref lastC, in keysD, ref lastD);
            lastA.StoreUnsafe(ref a.Blocks, at);
            lastB.StoreUnsafe(ref b.Blocks, at);
            lastC.StoreUnsafe(ref c.Blocks, at);
            lastD.StoreUnsafe(ref d.Blocks, at);
        }
        lastD.StoreUnsafe(ref d.Iv);
        for (; at != c.Length; at += BlockLength)
        {
            lastA ^= Vector128.LoadUnsafe(ref a.Blocks, at);
            lastB ^= Vector128.LoadUnsafe(ref b.Blocks, at);
            lastC ^= Vector128.LoadUnsafe(ref c.Blocks, at);
            AesRoundKeys.EncryptEach(in keysA, ref lastA, in keysB, ref lastB, in keysC, ref lastC, in keysD, ref lastD);
            lastA.StoreUnsafe(ref a.Blocks, at);
            lastB.StoreUnsafe(ref b.Blocks, at);
            lastC.StoreUnsafe(ref c.Blocks, at);
        }
        lastC.StoreUnsafe(ref c.Iv);
        for (; at != b.Length; at += BlockLength)
        {
            lastA ^= Vector128.LoadUnsafe(ref a.Blocks, at);
            lastB ^= Vector128.LoadUnsafe(ref b.Blocks, at);
            AesRoundKeys.EncryptEach(in keysA, ref lastA, in keysB, ref lastB, in keysC, ref lastC, in keysD, ref lastD);
            lastA.StoreUnsafe(ref a.Blocks, at);
            lastB.StoreUnsafe(ref b.Blocks, at);
        }
        lastB.StoreUnsafe(ref b.Iv);
        for (; at != a.Length; at += BlockLength)
        {
            lastA = keysA.Encrypt(lastA ^ Vector128.LoadUnsafe(ref a.Blocks, at));
            lastA.StoreUnsafe(ref a.Blocks, at);
        }
        lastA.StoreUnsafe(ref a.Iv);
    }

    [SkipLocalsInit]
    public static void Decrypt(ref byte key, ref byte iv, ref byte blocks, nuint length)
    {
        AesRoundKeys.Expand(ref key, out var keys);
        keys.Invert();
        DecryptBlocks(in keys, ref iv, ref blocks, length);
    }

    // Not inlined: behind a reference the round keys stay in memory and the blocks in registers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DecryptBlocks(in AesRoundKeys keys, ref byte iv, ref byte blocks, nuint length)
    {
        var previous = Vector128.LoadUnsafe(ref iv);
        nuint at = 0;
        for (; length - at >= 8 * BlockLength; at += 8 * BlockLength)
        {
            var a = Load(ref blocks, at, 0);
            var b = Load(ref blocks, at, 1);
            var c = Load(ref blocks, at, 2);
            var d = Load(ref blocks, at, 3);
            var e = Load(ref blocks, at, 4);
            var f = Load(ref blocks, at, 5);
            var g = Load(ref blocks, at, 6);
            var h = Load(ref blocks, at, 7);
            keys.Decrypt8(ref a, ref b, ref c, ref d, ref e, ref f, ref g, ref h);
            // The ciphertext is read again here, last block first so that none is overwritten before its successor has used it.
            var last = Load(ref blocks, at, 7);
            Store(h ^ Load(ref blocks, at, 6), ref blocks, at, 7);
            Store(g ^ Load(ref blocks, at, 5), ref blocks, at, 6);
            Store(f ^ Load(ref blocks, at, 4), ref blocks, at, 5);
            Store(e ^ Load(ref blocks, at, 3), ref blocks, at, 4);
            Store(d ^ Load(ref blocks, at, 2), ref blocks, at, 3);
            Store(c ^ Load(ref blocks, at, 1), ref blocks, at, 2);
            Store(b ^ Load(ref blocks, at, 0), ref blocks, at, 1);
            Store(a ^ previous, ref blocks, at, 0);
            previous = last;
        }

        for (; at != length; at += BlockLength)
        {
            var block = Load(ref blocks, at, 0);
            Store(keys.Decrypt(block) ^ previous, ref blocks, at, 0);
            previous = block;
        }
        previous.StoreUnsafe(ref iv);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Load(ref byte blocks, nuint at, nuint index) =>
        Vector128.LoadUnsafe(ref blocks, at + (index * BlockLength));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<byte> block, ref byte blocks, nuint at, nuint index) =>
        block.StoreUnsafe(ref blocks, at + (index * BlockLength));
}
