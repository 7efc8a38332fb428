using System.Buffers.Binary;
using System.Numerics;

namespace Portico.Protocol.Crypto;

/// <summary>
/// SipHash-2-4 with a result of 128 bits (Aumasson and Bernstein, 2012): a keyed hash of short messages.
/// Whoever does not know the key can neither foresee a result nor aim at a collision.
/// </summary>
public static class SipHash128
{
    /// <summary>Length of the key, in bytes.</summary>
    public const int KeyLength = 16;

    private const int WordLength = sizeof(ulong);

    // What sets the long result apart from the short one of the same function.
    private const ulong LongResult = 0xee, SecondHalf = 0xdd;

    /// <summary>The hash of <paramref name="message"/>. Its lower half is what the reference implementation writes first.</summary>
    /// <param name="key">16 bytes.</param>
    /// <param name="message">Any length.</param>
    public static UInt128 Compute(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message)
    {
        var k0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
        var k1 = BinaryPrimitives.ReadUInt64LittleEndian(key[WordLength..KeyLength]);
        var (v0, v1, v2, v3) = (
            k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ LongResult, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573);
        var last = (ulong)message.Length << 56;
        for (; message.Length >= WordLength; message = message[WordLength..])
            Absorb(BinaryPrimitives.ReadUInt64LittleEndian(message), ref v0, ref v1, ref v2, ref v3);
        for (var i = 0; i < message.Length; i++) last |= (ulong)message[i] << (8 * i);
        Absorb(last, ref v0, ref v1, ref v2, ref v3);

        v2 ^= LongResult;
        var low = Finish(ref v0, ref v1, ref v2, ref v3);
        v1 ^= SecondHalf;
        return new UInt128(Finish(ref v0, ref v1, ref v2, ref v3), low);
    }

    private static void Absorb(ulong word, ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    private static ulong Finish(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        for (var i = 0; i < 4; i++) Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 = unchecked(v0 + v1);
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 = unchecked(v2 + v3);
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 = unchecked(v0 + v3);
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 = unchecked(v2 + v1);
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
