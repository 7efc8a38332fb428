using System.Numerics;
using System.Runtime.CompilerServices;

namespace Portico.Protocol.Crypto;

/// <summary>
/// The Jacobi symbol of 256-bit numbers by the binary algorithm: whether a number is a square modulo
/// p = 2^255 - 19, without the 254 squarings of Euler's criterion: it only shifts and subtracts
/// (docs/performance.md has both times). Not constant-time: it works on public coordinates alone.
/// </summary>
internal static class JacobiSymbol
{
    /// <summary>1 if (a | p) is 1, -1 if a is not a square modulo p, 0 if p divides it.</summary>
    /// <param name="a0">Limbs of a, least significant first; below p.</param>
    /// <param name="a1">Second limb.</param>
    /// <param name="a2">Third limb.</param>
    /// <param name="a3">Fourth limb.</param>
    public static int OverPrime25519(ulong a0, ulong a1, ulong a2, ulong a3)
    {
        ulong b0 = ulong.MaxValue - 18, b1 = ulong.MaxValue, b2 = ulong.MaxValue, b3 = ulong.MaxValue >> 1;

        // The sign is kept as one bit: bit 1 of what the two rules below are XORed into.
        ulong sign = 0;
        while ((a0 | a1 | a2 | a3) != 0)
        {
            // (2 | b) is -1 exactly for b = 3 or 5 modulo 8.
            while (a0 == 0)
            {
                (a0, a1, a2, a3) = (a1, a2, a3, 0); // 64 is even: no change of sign
            }

            var zeros = BitOperations.TrailingZeroCount(a0);
            if (zeros != 0)
            {
                a0 = (a0 >> zeros) | (a1 << (64 - zeros));
                a1 = (a1 >> zeros) | (a2 << (64 - zeros));
                a2 = (a2 >> zeros) | (a3 << (64 - zeros));
                a3 >>= zeros;
                sign ^= ((ulong)zeros << 1) & (b0 ^ (b0 >> 1));
            }

            // Both odd now. Reciprocity: exchanging them changes the sign if both are 3 modulo 4.
            if (IsBelow(a0, a1, a2, a3, b0, b1, b2, b3))
            {
                sign ^= a0 & b0;
                (a0, b0) = (b0, a0);
                (a1, b1) = (b1, a1);
                (a2, b2) = (b2, a2);
                (a3, b3) = (b3, a3);
            }

            var borrow = 0ul;
            a0 = Subtract(a0, b0, ref borrow);
            a1 = Subtract(a1, b1, ref borrow);
            a2 = Subtract(a2, b2, ref borrow);
            a3 = a3 - b3 - borrow;
        }

        if (b0 != 1 || (b1 | b2 | b3) != 0) return 0;
        return (sign & 2) == 0 ? 1 : -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsBelow(ulong a0, ulong a1, ulong a2, ulong a3, ulong b0, ulong b1, ulong b2, ulong b3)
    {
        if (a3 != b3) return a3 < b3;
        if (a2 != b2) return a2 < b2;
        if (a1 != b1) return a1 < b1;
        return a0 < b0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Subtract(ulong x, ulong y, ref ulong borrow)
    {
        var partial = unchecked(x - borrow);
        var difference = unchecked(partial - y);
        borrow = (partial > x ? 1ul : 0) + (difference > partial ? 1ul : 0);
        return difference;
    }
}
