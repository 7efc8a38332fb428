using Portico.Fuzz.Checking;

namespace Portico.Fuzz.Searching;

/// <summary>
/// Makes a new input out of known ones. Most steps are small:
/// what a parser believed so far should still hold for most of the new bytes.
/// </summary>
internal sealed class Mutator(Target target, SplitMix random)
{
    private const int LongestBlock = 64;
    private static readonly byte[] StrikingValues = [0x00, 0xff, 0x7f, 0x80, 0x01, 0x20];

    /// <summary>
    /// One to eight steps on one of <paramref name="pool"/>,
    /// in front of everything a step that knows the format where there is one.
    /// </summary>
    public byte[] Mutate(IReadOnlyList<byte[]> pool)
    {
        // The latest finds lead further more often than the first ones.
        var bytes = random.OneIn(2) ? random.Pick(pool) : pool[^(1 + random.Below(Math.Min(pool.Count, 32)))];
        if (random.OneIn(2) && target.MutateStructure(bytes, random) is { } restructured)
        {
            bytes = restructured;
            if (random.OneIn(2)) return Limit(bytes);
        }

        for (var steps = 1 << random.Below(4); steps > 0; steps--) bytes = Step(bytes, pool);
        return Limit(bytes);
    }

    private byte[] Limit(byte[] bytes) => bytes.Length > target.MaxLength ? bytes[..target.MaxLength] : bytes;

    private byte[] Step(byte[] bytes, IReadOnlyList<byte[]> pool)
    {
        var at = random.Below(bytes.Length + 1);
        var block = Math.Min(bytes.Length - at, 1 + random.Below(LongestBlock));
        return random.Below(11) switch
        {
            0 => Changed(bytes, at, b => (byte)(b ^ (1 << random.Below(8)))),
            1 => Changed(bytes, at, _ => random.Pick(StrikingValues)),
            2 => Changed(bytes, at, b => (byte)(b + random.Below(2) * 2 - 1)),
            3 => Spliced(bytes, at, 0, random.Bytes(1 + random.Below(8))),
            4 => Spliced(bytes, at, block, []),
            5 => Spliced(bytes, random.Below(bytes.Length + 1), 0, bytes.AsSpan(at, block)),
            6 => [.. bytes[..at], .. Tail(random.Pick(pool))],
            7 or 8 => NumberMutation.Apply(bytes, random),
            9 => random.OneIn(2) ? bytes[..at] : [.. bytes, .. random.Bytes(1 + random.Below(LongestBlock))],
            _ => target.Tokens.Count == 0 ? bytes : Spliced(bytes, at, random.OneIn(2) ? 0 : block, random.Pick(target.Tokens)),
        };
    }

    private byte[] Tail(byte[] other) => other[random.Below(other.Length + 1)..];

    private static byte[] Changed(byte[] bytes, int at, Func<byte, byte> change)
    {
        if (at == bytes.Length) return bytes;
        var changed = bytes.ToArray();
        changed[at] = change(changed[at]);
        return changed;
    }

    /// <summary>The bytes with some of them replaced by others.</summary>
    public static byte[] Spliced(ReadOnlySpan<byte> bytes, int at, int removed, ReadOnlySpan<byte> inserted) =>
        [.. bytes[..at], .. inserted, .. bytes[(at + removed)..]];
}
