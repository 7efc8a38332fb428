namespace Portico.Fuzz.Searching;

/// <summary>
/// Takes 1 to 4 bytes anywhere for a number, big- or little-endian,
/// and gives it a value that makes trouble if it is a length.
/// </summary>
internal static class NumberMutation
{
    public static byte[] Apply(byte[] bytes, SplitMix random)
    {
        var width = 1 + random.Below(4);
        if (bytes.Length < width) return bytes;
        // Lengths stand at the front more often than elsewhere.
        var at = random.Below(random.OneIn(2) ? Math.Min(bytes.Length - width + 1, 8) : bytes.Length - width + 1);
        var changed = bytes.ToArray();
        var field = changed.AsSpan(at, width);
        var bigEndian = random.OneIn(2);
        var old = Read(field, bigEndian);
        var following = (uint)(bytes.Length - at - width);
        var value = random.Below(12) switch
        {
            0 or 1 => old + 1,
            2 or 3 => old - 1,
            4 => 0u,
            5 => uint.MaxValue,
            6 => uint.MaxValue >> 1,
            7 => following,
            8 => following + 1,
            9 => following - 1,
            10 => old * 2,
            _ => old ^ (1u << (8 * width - 1)),
        };
        Write(field, bigEndian, value);
        return changed;
    }

    /// <summary>An unsigned number of up to four bytes.</summary>
    public static uint Read(ReadOnlySpan<byte> field, bool bigEndian)
    {
        var value = 0u;
        for (var i = 0; i < field.Length; i++) value = value << 8 | field[bigEndian ? i : field.Length - 1 - i];
        return value;
    }

    /// <summary>Writes as many low bytes of <paramref name="value"/> as the field has.</summary>
    public static void Write(Span<byte> field, bool bigEndian, uint value)
    {
        for (var i = 0; i < field.Length; i++)
        {
            field[bigEndian ? field.Length - 1 - i : i] = (byte)value;
            value >>= 8;
        }
    }
}
