using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;
using Portico.Protocol.Crypto;

namespace Portico.Core.Cover.Learning;

/// <summary>
/// How long flights are whose certificate has an elliptic-curve key. Such a signature is two whole numbers in DER, and
/// each takes one byte more when its first bit is set and one less when its first byte is zero: of 512 flights about 128
/// have the full length, 256 are one byte shorter, 124 two, 4 still shorter (X.690 section 8.3, RFC 3279 section 2.2.3).
/// The law is known, so a few samples tell where it lies, and lengths can be drawn as often as the cover sends them.
/// </summary>
internal static class SignatureLengths
{
    // Further apart, the lengths have another cause: several certificates, or a stapled answer that comes and goes.
    private const int WidestSpread = 3;

    // Natural logarithm of how often a length is so many bytes below the full one.
    private static readonly double[] Likelihood =
        [Math.Log(128 / 512.0), Math.Log(256 / 512.0), Math.Log(124 / 512.0), Math.Log(3.9 / 512), Math.Log(0.1 / 512)];

    /// <summary>The full length that explains the samples best; null where they do not follow the law.</summary>
    /// <param name="samples">Lengths of the cover's flights, one per sample; at least one.</param>
    public static int? FullLengthOf(ImmutableArray<int> samples)
    {
        var (least, most) = (samples.Min(), samples.Max());
        // one length: a key of another kind, or chance
        if (least == most || most - least > WidestSpread) return null;
        return Enumerable.Range(most, least + Likelihood.Length - most).MaxBy(full => samples.Sum(length => Likelihood[full - length]));
    }

    /// <summary>One length, by the law.</summary>
    /// <param name="random">The loop's.</param>
    /// <param name="fullLength">With both numbers at their longest.</param>
    public static int Draw(RandomKeystream random, int fullLength)
    {
        Span<byte> numbers = stackalloc byte[2 * sizeof(uint)];
        random.Fill(numbers);
        var missing = Missing(BinaryPrimitives.ReadUInt32LittleEndian(numbers))
            + Missing(BinaryPrimitives.ReadUInt32LittleEndian(numbers[sizeof(uint)..]));
        return fullLength - missing;
    }

    // Bytes below the longest form of a number with these first bits: a set first bit asks for a byte of zeros before it.
    private static int Missing(uint first) => (BitOperations.LeadingZeroCount(first) + 7) / 8;
}
