using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AesNi = System.Runtime.Intrinsics.X86.Aes;

namespace Portico.Protocol.Crypto;

/// <summary>
/// The 15 round keys of AES-256 for AES-NI (FIPS 197 section 5.2). They live on the stack for one call:
/// expanding them again costs about as much as two cache misses, while keeping them would cost
/// every idle session 240 bytes per stream. Callers check <see cref="IsSupported"/> first.
/// </summary>
internal struct AesRoundKeys
{
    private Vector128<byte> _k0, _k1, _k2, _k3, _k4, _k5, _k6, _k7, _k8, _k9, _k10, _k11, _k12, _k13, _k14;

    /// <summary>True if the processor has what the methods of this type use.</summary>
    public static bool IsSupported => AesNi.IsSupported && Ssse3.IsSupported;

    /// <summary>Expands 32 bytes starting at <paramref name="key"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Expand(ref byte key, out AesRoundKeys keys)
    {
        Unsafe.SkipInit(out keys);
        var even = Vector128.LoadUnsafe(ref key);
        var odd = Vector128.LoadUnsafe(ref key, 16);
        keys._k0 = even;
        keys._k1 = odd;
        keys._k2 = even = NextEven(even, odd, 0x01);
        keys._k3 = odd = NextOdd(odd, even);
        keys._k4 = even = NextEven(even, odd, 0x02);
        keys._k5 = odd = NextOdd(odd, even);
        keys._k6 = even = NextEven(even, odd, 0x04);
        keys._k7 = odd = NextOdd(odd, even);
        keys._k8 = even = NextEven(even, odd, 0x08);
        keys._k9 = odd = NextOdd(odd, even);
        keys._k10 = even = NextEven(even, odd, 0x10);
        keys._k11 = odd = NextOdd(odd, even);
        keys._k12 = even = NextEven(even, odd, 0x20);
        keys._k13 = odd = NextOdd(odd, even);
        keys._k14 = NextEven(even, odd, 0x40);
    }

    /// <summary>
    /// Turns an encryption schedule into the one of the equivalent inverse
    /// cipher (FIPS 197 section 5.3.5), in the order decryption uses it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Invert()
    {
        (_k0, _k14) = (_k14, _k0);
        (_k1, _k13) = (AesNi.InverseMixColumns(_k13), AesNi.InverseMixColumns(_k1));
        (_k2, _k12) = (AesNi.InverseMixColumns(_k12), AesNi.InverseMixColumns(_k2));
        (_k3, _k11) = (AesNi.InverseMixColumns(_k11), AesNi.InverseMixColumns(_k3));
        (_k4, _k10) = (AesNi.InverseMixColumns(_k10), AesNi.InverseMixColumns(_k4));
        (_k5, _k9) = (AesNi.InverseMixColumns(_k9), AesNi.InverseMixColumns(_k5));
        (_k6, _k8) = (AesNi.InverseMixColumns(_k8), AesNi.InverseMixColumns(_k6));
        _k7 = AesNi.InverseMixColumns(_k7);
    }

    /// <summary>Encrypts one block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<byte> Encrypt(Vector128<byte> block)
    {
        block ^= _k0;
        block = AesNi.Encrypt(block, _k1);
        block = AesNi.Encrypt(block, _k2);
        block = AesNi.Encrypt(block, _k3);
        block = AesNi.Encrypt(block, _k4);
        block = AesNi.Encrypt(block, _k5);
        block = AesNi.Encrypt(block, _k6);
        block = AesNi.Encrypt(block, _k7);
        block = AesNi.Encrypt(block, _k8);
        block = AesNi.Encrypt(block, _k9);
        block = AesNi.Encrypt(block, _k10);
        block = AesNi.Encrypt(block, _k11);
        block = AesNi.Encrypt(block, _k12);
        block = AesNi.Encrypt(block, _k13);
        return AesNi.EncryptLast(block, _k14);
    }

    /// <summary>
    /// Encrypts a to d under <paramref name="first"/> and e to h under <paramref name="second"/>,
    /// the same schedule or another. Eight independent blocks cover the latency of the round instruction (four cycles,
    /// two started per cycle); rounds are interleaved because a scheduler may be smaller than half the work.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Encrypt4And4(
        ref readonly AesRoundKeys first, ref Vector128<byte> a, ref Vector128<byte> b, ref Vector128<byte> c, ref Vector128<byte> d,
        ref readonly AesRoundKeys second, ref Vector128<byte> e, ref Vector128<byte> f, ref Vector128<byte> g, ref Vector128<byte> h)
    {
        Whiten(first._k0, ref a, ref b, ref c, ref d);
        Whiten(second._k0, ref e, ref f, ref g, ref h);
        Round(first._k1, ref a, ref b, ref c, ref d);
        Round(second._k1, ref e, ref f, ref g, ref h);
        Round(first._k2, ref a, ref b, ref c, ref d);
        Round(second._k2, ref e, ref f, ref g, ref h);
        Round(first._k3, ref a, ref b, ref c, ref d);
        Round(second._k3, ref e, ref f, ref g, ref h);
        Round(first._k4, ref a, ref b, ref c, ref d);
        Round(second._k4, ref e, ref f, ref g, ref h);
        Round(first._k5, ref a, ref b, ref c, ref d);
        Round(second._k5, ref e, ref f, ref g, ref h);
        Round(first._k6, ref a, ref b, ref c, ref d);
        Round(second._k6, ref e, ref f, ref g, ref h);
        Round(first._k7, ref a, ref b, ref c, ref d);
        Round(second._k7, ref e, ref f, ref g, ref h);
        Round(first._k8, ref a, ref b, ref c, ref d);
        Round(second._k8, ref e, ref f, ref g, ref h);
        Round(first._k9, ref a, ref b, ref c, ref d);
        Round(second._k9, ref e, ref f, ref g, ref h);
        Round(first._k10, ref a, ref b, ref c, ref d);
        Round(second._k10, ref e, ref f, ref g, ref h);
        Round(first._k11, ref a, ref b, ref c, ref d);
        Round(second._k11, ref e, ref f, ref g, ref h);
        Round(first._k12, ref a, ref b, ref c, ref d);
        Round(second._k12, ref e, ref f, ref g, ref h);
        Round(first._k13, ref a, ref b, ref c, ref d);
        Round(second._k13, ref e, ref f, ref g, ref h);
        LastRound(first._k14, ref a, ref b, ref c, ref d);
        LastRound(second._k14, ref e, ref f, ref g, ref h);
    }

    /// <summary>
    /// Encrypts one block under each of four schedules. The blocks of a chain wait
    /// for each other, so four chains in lock step take little longer than one:
    /// the round instruction has a latency of four cycles, and two are started per cycle.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EncryptEach(
        ref readonly AesRoundKeys keysA, ref Vector128<byte> a, ref readonly AesRoundKeys keysB, ref Vector128<byte> b,
        ref readonly AesRoundKeys keysC, ref Vector128<byte> c, ref readonly AesRoundKeys keysD, ref Vector128<byte> d)
    {
        a ^= keysA._k0;
        b ^= keysB._k0;
        c ^= keysC._k0;
        d ^= keysD._k0;
        RoundEach(keysA._k1, ref a, keysB._k1, ref b, keysC._k1, ref c, keysD._k1, ref d);
        RoundEach(keysA._k2, ref a, keysB._k2, ref b, keysC._k2, ref c, keysD._k2, ref d);
        RoundEach(keysA._k3, ref a, keysB._k3, ref b, keysC._k3, ref c, keysD._k3, ref d);
        RoundEach(keysA._k4, ref a, keysB._k4, ref b, keysC._k4, ref c, keysD._k4, ref d);
        RoundEach(keysA._k5, ref a, keysB._k5, ref b, keysC._k5, ref c, keysD._k5, ref d);
        RoundEach(keysA._k6, ref a, keysB._k6, ref b, keysC._k6, ref c, keysD._k6, ref d);
        RoundEach(keysA._k7, ref a, keysB._k7, ref b, keysC._k7, ref c, keysD._k7, ref d);
        RoundEach(keysA._k8, ref a, keysB._k8, ref b, keysC._k8, ref c, keysD._k8, ref d);
        RoundEach(keysA._k9, ref a, keysB._k9, ref b, keysC._k9, ref c, keysD._k9, ref d);
        RoundEach(keysA._k10, ref a, keysB._k10, ref b, keysC._k10, ref c, keysD._k10, ref d);
        RoundEach(keysA._k11, ref a, keysB._k11, ref b, keysC._k11, ref c, keysD._k11, ref d);
        RoundEach(keysA._k12, ref a, keysB._k12, ref b, keysC._k12, ref c, keysD._k12, ref d);
        RoundEach(keysA._k13, ref a, keysB._k13, ref b, keysC._k13, ref c, keysD._k13, ref d);
        a = AesNi.EncryptLast(a, keysA._k14);
        b = AesNi.EncryptLast(b, keysB._k14);
        c = AesNi.EncryptLast(c, keysC._k14);
        d = AesNi.EncryptLast(d, keysD._k14);
    }

    /// <summary>Decrypts one block; the schedule must be inverted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<byte> Decrypt(Vector128<byte> block)
    {
        block ^= _k0;
        block = AesNi.Decrypt(block, _k1);
        block = AesNi.Decrypt(block, _k2);
        block = AesNi.Decrypt(block, _k3);
        block = AesNi.Decrypt(block, _k4);
        block = AesNi.Decrypt(block, _k5);
        block = AesNi.Decrypt(block, _k6);
        block = AesNi.Decrypt(block, _k7);
        block = AesNi.Decrypt(block, _k8);
        block = AesNi.Decrypt(block, _k9);
        block = AesNi.Decrypt(block, _k10);
        block = AesNi.Decrypt(block, _k11);
        block = AesNi.Decrypt(block, _k12);
        block = AesNi.Decrypt(block, _k13);
        return AesNi.DecryptLast(block, _k14);
    }

    /// <summary>Decrypts eight blocks at once; the schedule must be inverted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Decrypt8(
        ref Vector128<byte> a, ref Vector128<byte> b, ref Vector128<byte> c, ref Vector128<byte> d,
        ref Vector128<byte> e, ref Vector128<byte> f, ref Vector128<byte> g, ref Vector128<byte> h)
    {
        Whiten(_k0, ref a, ref b, ref c, ref d);
        Whiten(_k0, ref e, ref f, ref g, ref h);
        InverseRound(_k1, ref a, ref b, ref c, ref d);
        InverseRound(_k1, ref e, ref f, ref g, ref h);
        InverseRound(_k2, ref a, ref b, ref c, ref d);
        InverseRound(_k2, ref e, ref f, ref g, ref h);
        InverseRound(_k3, ref a, ref b, ref c, ref d);
        InverseRound(_k3, ref e, ref f, ref g, ref h);
        InverseRound(_k4, ref a, ref b, ref c, ref d);
        InverseRound(_k4, ref e, ref f, ref g, ref h);
        InverseRound(_k5, ref a, ref b, ref c, ref d);
        InverseRound(_k5, ref e, ref f, ref g, ref h);
        InverseRound(_k6, ref a, ref b, ref c, ref d);
        InverseRound(_k6, ref e, ref f, ref g, ref h);
        InverseRound(_k7, ref a, ref b, ref c, ref d);
        InverseRound(_k7, ref e, ref f, ref g, ref h);
        InverseRound(_k8, ref a, ref b, ref c, ref d);
        InverseRound(_k8, ref e, ref f, ref g, ref h);
        InverseRound(_k9, ref a, ref b, ref c, ref d);
        InverseRound(_k9, ref e, ref f, ref g, ref h);
        InverseRound(_k10, ref a, ref b, ref c, ref d);
        InverseRound(_k10, ref e, ref f, ref g, ref h);
        InverseRound(_k11, ref a, ref b, ref c, ref d);
        InverseRound(_k11, ref e, ref f, ref g, ref h);
        InverseRound(_k12, ref a, ref b, ref c, ref d);
        InverseRound(_k12, ref e, ref f, ref g, ref h);
        InverseRound(_k13, ref a, ref b, ref c, ref d);
        InverseRound(_k13, ref e, ref f, ref g, ref h);
        LastInverseRound(_k14, ref a, ref b, ref c, ref d);
        LastInverseRound(_k14, ref e, ref f, ref g, ref h);
    }

    // SubWord by AESENCLAST on a vector whose four columns are equal (ShiftRows
    // then moves nothing): shorter latency than AESKEYGENASSIST on every processor,
    // and the instruction's own XOR adds what does not wait for the previous round key.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> NextEven(Vector128<byte> twoBack, Vector128<byte> previous, uint roundConstant)
    {
        var rotatedLastWord = Ssse3.Shuffle(previous, Vector128.Create(0x0C0F0E0Du).AsByte());
        return AesNi.EncryptLast(rotatedLastWord, RunningXor(twoBack) ^ Vector128.Create(roundConstant).AsByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> NextOdd(Vector128<byte> twoBack, Vector128<byte> previous) =>
        AesNi.EncryptLast(Sse2.Shuffle(previous.AsUInt32(), 0xFF).AsByte(), RunningXor(twoBack));

    // Word i of the result is the XOR of words 0..i.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> RunningXor(Vector128<byte> words)
    {
        words ^= Sse2.ShiftLeftLogical128BitLane(words, 4);
        return words ^ Sse2.ShiftLeftLogical128BitLane(words, 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Whiten(
        Vector128<byte> key, ref Vector128<byte> a, ref Vector128<byte> b, ref Vector128<byte> c, ref Vector128<byte> d)
    {
        a ^= key;
        b ^= key;
        c ^= key;
        d ^= key;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(
        Vector128<byte> key, ref Vector128<byte> a, ref Vector128<byte> b, ref Vector128<byte> c, ref Vector128<byte> d)
    {
        a = AesNi.Encrypt(a, key);
        b = AesNi.Encrypt(b, key);
        c = AesNi.Encrypt(c, key);
        d = AesNi.Encrypt(d, key);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RoundEach(
        Vector128<byte> keyA, ref Vector128<byte> a, Vector128<byte> keyB, ref Vector128<byte> b,
        Vector128<byte> keyC, ref Vector128<byte> c, Vector128<byte> keyD, ref Vector128<byte> d)
    {
        a = AesNi.Encrypt(a, keyA);
        b = AesNi.Encrypt(b, keyB);
        c = AesNi.Encrypt(c, keyC);
        d = AesNi.Encrypt(d, keyD);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LastRound(
        Vector128<byte> key, ref Vector128<byte> a, ref Vector128<byte> b, ref Vector128<byte> c, ref Vector128<byte> d)
    {
        a = AesNi.EncryptLast(a, key);
        b = AesNi.EncryptLast(b, key);
        c = AesNi.EncryptLast(c, key);
        d = AesNi.EncryptLast(d, key);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void InverseRound(
        Vector128<byte> key, ref Vector128<byte> a, ref Vector128<byte> b, ref Vector128<byte> c, ref Vector128<byte> d)
    {
        a = AesNi.Decrypt(a, key);
        b = AesNi.Decrypt(b, key);
        c = AesNi.Decrypt(c, key);
        d = AesNi.Decrypt(d, key);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LastInverseRound(
        Vector128<byte> key, ref Vector128<byte> a, ref Vector128<byte> b, ref Vector128<byte> c, ref Vector128<byte> d)
    {
        a = AesNi.DecryptLast(a, key);
        b = AesNi.DecryptLast(b, key);
        c = AesNi.DecryptLast(c, key);
        d = AesNi.DecryptLast(d, key);
    }
}
