using Portico.Fuzz.Searching;
using Portico.Protocol.FakeTls;

namespace Portico.Fuzz.Targets.FakeTls;

/// <summary>
/// Changes a hello inside and sets the outer lengths right, so that the change
/// is seen by the check it is meant for; then signs it and spreads it over records.
/// </summary>
internal static class HelloMutation
{
    private const int RecordHeader = 5;
    private const int Signed = 43;

    /// <summary>Null if the bytes are no hello in one record.</summary>
    public static byte[]? Apply(byte[] input, SplitMix random, HmacKey key)
    {
        var fields = HelloLayout.Find(input);
        if (fields.Count < 2 || fields[0].End != input.Length) return null;

        var hello = random.Below(8) switch
        {
            0 => input.ToArray(),
            1 => Skew(input, fields, random),
            2 => Repeat(input, fields, random),
            _ => Resize(input, fields, random),
        };
        if (hello.Length >= Signed && !random.OneIn(4)) HelloDigest.Sign(hello, key, Time(random));
        return random.OneIn(4) ? Split(hello, random) : hello;
    }

    /// <summary>One length lies; everything else is as it was.</summary>
    private static byte[] Skew(byte[] hello, List<LengthField> fields, SplitMix random)
    {
        var field = random.Pick(fields);
        var skewed = hello.ToArray();
        var length = (uint)(field.End - field.Begin);
        uint[] lies = [length + 1, length - 1, length + 4, 0, 1, uint.MaxValue, length ^ 0x100];
        NumberMutation.Write(skewed.AsSpan(field.At, field.Width), bigEndian: true, random.Pick(lies));
        return skewed;
    }

    /// <summary>Takes bytes out of a vector or puts some in, with every length around it set right.</summary>
    public static byte[] Resize(byte[] hello, List<LengthField> fields, SplitMix random)
    {
        var field = random.Pick(fields);
        var at = field.Begin + random.Below(field.End - field.Begin + 1);
        var removed = random.OneIn(2) ? 0 : random.OneIn(4) ? field.End - at : Math.Min(field.End - at, 1 + random.Below(8));
        byte[] inserted = random.Below(3) switch
        {
            0 when removed > 0 => [],
            1 => random.Pick(HelloSeeds.Tokens),
            _ => random.Bytes(1 + random.Below(40)),
        };
        return Replace(hello, fields, field, at, removed, inserted);
    }

    /// <summary>Puts a copy of an extension, or of a key share, before another one.</summary>
    private static byte[] Repeat(byte[] hello, List<LengthField> fields, SplitMix random)
    {
        // Extensions and shares are those whose type stands in the two bytes before the length.
        var elements = fields.Where(field => field.Width == 2 && field.At >= Signed + 8).ToList();
        if (elements.Count == 0) return hello;
        var copied = random.Pick(elements);
        var before = random.Pick(elements);
        var around = fields.Where(field => field.Begin <= before.At - 2 && before.End <= field.End && field != before)
            .DefaultIfEmpty(fields[0]).Last();
        return Replace(hello, fields, around, before.At - 2, 0, hello.AsSpan((copied.At - 2)..copied.End));
    }

    private static byte[] Replace(
        byte[] hello, List<LengthField> fields, LengthField changed, int at, int removed, ReadOnlySpan<byte> inserted)
    {
        var result = Mutator.Spliced(hello, at, removed, inserted);
        foreach (var field in fields)
        {
            if (field != changed && !field.Encloses(changed)) continue;
            NumberMutation.Write(
                result.AsSpan(field.At, field.Width), bigEndian: true, (uint)(field.End - field.Begin - removed + inserted.Length));
        }

        return result;
    }

    private static uint Time(SplitMix random)
    {
        long[] offsets = [0, -600, -601, 120, 121, -VectorFile.Now];
        return (uint)(VectorFile.Now + (random.OneIn(2) ? 0 : random.Pick(offsets)));
    }

    /// <summary>The same message in 2 to 9 records, which is one more than is taken.</summary>
    private static byte[] Split(byte[] hello, SplitMix random)
    {
        var message = hello.AsSpan(RecordHeader);
        var result = new List<byte>(hello.Length + 64);
        for (var records = 2 + random.Below(8); !message.IsEmpty; records--)
        {
            // Short first records cut the message header itself.
            var length = records <= 1
                ? message.Length
                : Math.Min(message.Length, random.OneIn(2) ? 1 + random.Below(5) : 1 + random.Below(message.Length));
            result.AddRange(hello.AsSpan(0, 3));
            result.AddRange([(byte)(length >> 8), (byte)length]);
            result.AddRange(message[..length]);
            message = message[length..];
        }

        return [.. result];
    }
}
