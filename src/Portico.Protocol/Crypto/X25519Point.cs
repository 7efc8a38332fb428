namespace Portico.Protocol.Crypto;

/// <summary>
/// Public keys for the key share of a fake TLS server (RFC 7748; spec/02). A real key is a point of Curve25519, and half of all 32-byte strings are not:
/// an observer who tests a few handshakes would tell random bytes from keys. No private key belongs to these points; nobody needs one.
/// </summary>
public static class X25519Point
{
    /// <summary>Length of a u-coordinate, in bytes.</summary>
    public const int Length = 32;

    private const byte TopBit = 0x80;

    // A of the curve v^2 = u^3 + A u^2 + u, RFC 7748 section 4.1.
    private static Field25519 CurveA => new(486662, 0, 0, 0);

    /// <summary>Makes a key out of random bytes: clears the top bit and tells whether the rest is a point. If not (every second time), draw again.</summary>
    /// <param name="random">32 random bytes; after true, a uniformly distributed u-coordinate.</param>
    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static bool TryMake(Span<byte> random)
    {
        CheckLength(random);
        random[^1] &= unchecked((byte)~TopBit);
        return IsOnCurve(random);
    }

    /// <summary>True if <paramref name="u"/> is what a key exchange could produce: canonical (below p, so the top bit is clear) and on the curve, not on its twist.</summary>
    /// <param name="u">32 bytes, little-endian.</param>
    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static bool IsOnCurve(ReadOnlySpan<byte> u)
    {
        CheckLength(u);
        var x = Field25519.Read(u);
        if (!x.IsCanonical)
            return false;
        // ((u + A) u + 1) u; on the twist this is not a square.
        var square = ((x + CurveA) * x + Field25519.One) * x;
        return square.ToCanonical().JacobiSymbol() >= 0;
    }

    private static void CheckLength(ReadOnlySpan<byte> u)
    {
        if (u.Length != Length)
            throw new ArgumentException("A u-coordinate has 32 bytes.", nameof(u));
    }
}
