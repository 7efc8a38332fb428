using System.Buffers.Binary;

namespace Portico.TestKit.Telegram;

/// <summary>
/// Content whose every byte says where it belongs, so that a lost,
/// doubled or swapped piece shows. Cheap enough for hundreds of megabytes.
/// </summary>
public static class TestPattern
{
    /// <summary>A prime, so that it never lines up with buffer or record sizes.</summary>
    private const int Period = 65521;

    private static readonly byte[] Cycle = CreateCycle();

    /// <summary>Writes the content of frame <paramref name="sequence"/>.</summary>
    public static void Fill(Span<byte> bytes, uint sequence)
    {
        var at = Start(sequence);
        while (!bytes.IsEmpty)
        {
            var length = Math.Min(bytes.Length, Period - at);
            Cycle.AsSpan(at, length).CopyTo(bytes);
            bytes = bytes[length..];
            at = 0;
        }
    }

    /// <summary>Whether these bytes are the content of frame <paramref name="sequence"/>.</summary>
    public static bool Matches(ReadOnlySpan<byte> bytes, uint sequence)
    {
        var at = Start(sequence);
        while (!bytes.IsEmpty)
        {
            var length = Math.Min(bytes.Length, Period - at);
            if (!Cycle.AsSpan(at, length).SequenceEqual(bytes[..length]))
                return false;
            bytes = bytes[length..];
            at = 0;
        }
        return true;
    }

    private static int Start(uint sequence) => (int)(sequence * 7919UL % Period);

    /// <summary>A 64-bit mix of the position (the finaliser of splitmix64): looks random, is the same on every run.</summary>
    private static byte[] CreateCycle()
    {
        var cycle = new byte[Period + 7];
        for (var i = 0; i < Period; i += 8)
        {
            var z = (ulong)(i + 1) * 0x9e3779b97f4a7c15;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
            z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
            BinaryPrimitives.WriteUInt64LittleEndian(cycle.AsSpan(i), z ^ (z >> 31));
        }
        return cycle[..Period];
    }
}
