using System.Numerics;

namespace Portico.Protocol.Tests.Crypto;

/// <summary>
/// The key exchange of RFC 7748 section 5 as the text has it, with big numbers:
/// an independent judge of keys. Its vectors are in Ladder25519Tests.
/// </summary>
internal static class Ladder25519
{
    private const int Bits = 255;

    /// <summary>The field's prime.</summary>
    public static readonly BigInteger P = BigInteger.Pow(2, Bits) - 19;

    /// <summary>The number of points in the subgroup that all keys belong to.</summary>
    public static readonly BigInteger Order = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493");

    /// <summary>X25519 of the text: the scalar is clamped, the top bit of u ignored.</summary>
    public static byte[] Exchange(ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> u)
    {
        var clamped = scalar.ToArray();
        clamped[0] &= 248;
        clamped[31] = (byte)(clamped[31] & 127 | 64);
        return Multiple(clamped, u);
    }

    /// <summary>The scalar, as it is, times the point.</summary>
    public static byte[] Multiple(ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> u)
    {
        var (x, z) = Multiply(
            new BigInteger(scalar, isUnsigned: true), new BigInteger(u, isUnsigned: true) & (BigInteger.Pow(2, Bits) - 1));
        var result = new byte[32];
        (x * BigInteger.ModPow(z, P - 2, P) % P).TryWriteBytes(result, out _, isUnsigned: true);
        return result;
    }

    /// <summary>Whether order times this point is the neutral element, and the point itself is not.</summary>
    public static bool IsInSubgroup(ReadOnlySpan<byte> u)
    {
        var x = new BigInteger(u, isUnsigned: true);
        return !x.IsZero && x < P && Multiply(Order, x).Z.IsZero;
    }

    private static (BigInteger X, BigInteger Z) Multiply(BigInteger scalar, BigInteger u)
    {
        var (x2, z2, x3, z3) = (BigInteger.One, BigInteger.Zero, u, BigInteger.One);
        for (var bit = Bits - 1; bit >= 0; bit--)
        {
            var isSet = !(scalar >> bit).IsEven;
            if (isSet)
                (x2, z2, x3, z3) = (x3, z3, x2, z2);
            var (a, b, c, d) = (x2 + z2, x2 - z2, x3 + z3, x3 - z3);
            var (aa, bb, da, cb) = (a * a % P, b * b % P, d * a % P, c * b % P);
            var e = aa - bb;
            (x3, z3) = ((da + cb) * (da + cb) % P, u * (da - cb) % P * (da - cb) % P);
            (x2, z2) = (aa * bb % P, e * (aa + (121665 * e)) % P);
            if (isSet)
                (x2, z2, x3, z3) = (x3, z3, x2, z2);
        }
        return (Positive(x2), Positive(z2));
    }

    private static BigInteger Positive(BigInteger x) => ((x % P) + P) % P;
}
