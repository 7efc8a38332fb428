namespace Portico.Protocol.Crypto;

/// <summary>
/// Public keys for key shares of fake TLS (RFC 7748; spec/02). A real key is a multiple of the base point: it lies
/// on Curve25519, as half of all 32-byte strings do, and in its subgroup of prime order, as an eighth of the points do.
/// An observer can compute both from one hello. No private key belongs to these points; nothing needs one.
/// </summary>
public static class X25519Point
{
    /// <summary>Length of a u-coordinate, in bytes.</summary>
    public const int Length = 32;

    /// <summary>How many keys share the price of one inversion in <see cref="Fill"/>: it costs as much as four keys otherwise do.</summary>
    public const int BatchSize = 32;

    private const byte TopBit = 0x80;

    // The whole group has eight times the prime number of points, so three doublings
    // lead from any point into the subgroup, and to each of its points equally often.
    private const int CofactorDoublings = 3;

    // A of the curve v^2 = u^3 + A u^2 + u, and (A - 2) / 4: RFC 7748 sections 4.1 and 5.
    private static Field25519 CurveA => new(486662, 0, 0, 0);
    private static Field25519 CurveA24 => new(121665, 0, 0, 0);

    /// <summary>Makes a key out of random bytes, if they happen to be a point: every second time. If not, draw again.</summary>
    /// <param name="random">32 random bytes; after true, a key like those of key exchanges. Its top bit is cleared in any case.</param>
    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static bool TryMake(Span<byte> random)
    {
        CheckLength(random);
        if (!TryDraw(random, out var x, out var z))
            return false;
        (x * z.Invert()).ToCanonical().Write(random);
        return true;
    }

    /// <summary>
    /// Fills the room with keys, several at a price that <see cref="TryMake"/>
    /// asks for one (Montgomery's trick: one inversion for the product of all).
    /// </summary>
    /// <param name="random">Where their bytes come from.</param>
    /// <param name="keys">Room for at most <see cref="BatchSize"/> keys.</param>
    /// <exception cref="ArgumentException">No whole number of keys, or too many.</exception>
    public static void Fill(RandomKeystream random, Span<byte> keys)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (keys.Length % Length != 0 || keys.Length > BatchSize * Length)
            throw new ArgumentException($"Keys have {Length} bytes each, and there are at most {BatchSize}.", nameof(keys));

        var count = keys.Length / Length;
        Span<Field25519> xs = stackalloc Field25519[count], zs = stackalloc Field25519[count], products = stackalloc Field25519[count];
        var product = Field25519.One;
        for (var i = 0; i < count; i++)
        {
            var key = keys.Slice(i * Length, Length);
            do random.Fill(key);
            while (!TryDraw(key, out xs[i], out zs[i]));
            products[i] = product;  // of all before this one
            product *= zs[i];
        }

        var inverse = product.Invert();
        for (var i = count - 1; i >= 0; i--)
        {
            (xs[i] * (inverse * products[i])).ToCanonical().Write(keys.Slice(i * Length, Length));
            inverse *= zs[i];
        }
    }

    /// <summary>
    /// True if <paramref name="u"/> is canonical (below p, so the top bit is clear)
    /// and on the curve, not on its twist. Not all of these are keys.
    /// </summary>
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

    // A point of the subgroup as the fraction x / z. False if the bytes are no point,
    // or one of the few that doubling makes the neutral element.
    private static bool TryDraw(Span<byte> random, out Field25519 x, out Field25519 z)
    {
        random[^1] &= unchecked((byte)~TopBit);
        (x, z) = (Field25519.Read(random), Field25519.One);
        if (!IsOnCurve(random))
            return false;
        for (var i = 0; i < CofactorDoublings; i++)
            Double(ref x, ref z);
        return !z.IsZero;
    }

    // RFC 7748 section 5, the doubling half of a ladder step.
    private static void Double(ref Field25519 x, ref Field25519 z)
    {
        var sum = x + z;
        var difference = x - z;
        var sumSquared = sum * sum;
        var differenceSquared = difference * difference;
        var product = sumSquared - differenceSquared;
        x = sumSquared * differenceSquared;
        z = product * (sumSquared + CurveA24 * product);
    }

    private static void CheckLength(ReadOnlySpan<byte> u)
    {
        if (u.Length != Length)
            throw new ArgumentException("A u-coordinate has 32 bytes.", nameof(u));
    }
}
