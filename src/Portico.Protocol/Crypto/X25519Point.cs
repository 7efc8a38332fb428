using System.Numerics;

namespace Portico.Protocol.Crypto;

/// <summary>temporary</summary>
public static class X25519Point
{
    /// <summary>temporary</summary>
    public static bool TryMake(Span<byte> u)
    {
        u[31] &= 0x7f;
        var p = BigInteger.Pow(2, 255) - 19;
        var x = new BigInteger(u, isUnsigned: true);
        if (x >= p) return false;
        var y = ((x * x * x) + (486662 * x * x) + x) % p;
        return BigInteger.ModPow(y, (p - 1) / 2, p).IsOne;
    }
}
