namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// Byte strings of the TL language (spec/03 section 5): a length of one byte,
/// or fe and three bytes, then the bytes, then zeros up to a multiple of four.
/// </summary>
internal static class TlString
{
    private const byte LongForm = 0xfe;
    private const int LongHeader = 4;

    /// <summary>The one form we write: up to 253 bytes.</summary>
    /// <param name="destination">Receives the string and its padding.</param>
    /// <param name="value">At most 253 bytes.</param>
    public static void Write(Span<byte> destination, ReadOnlySpan<byte> value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(value.Length, LongForm, nameof(value));
        destination[0] = (byte)value.Length;
        value.CopyTo(destination[1..]);
        destination[(1 + value.Length)..Padded(1 + value.Length)].Clear();
    }

    /// <summary>Takes a string off the front; false if it does not fit in what is left.</summary>
    public static bool TryTake(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (rest.IsEmpty)
            return false;

        var (header, length) = (1, (int)rest[0]);
        if (length > LongForm)
            return false;
        if (length == LongForm)
        {
            if (rest.Length < LongHeader)
                return false;
            (header, length) = (LongHeader, rest[1] | (rest[2] << 8) | (rest[3] << 16));
        }
        if (Padded(header + length) > rest.Length)
            return false;

        value = rest.Slice(header, length);
        rest = rest[Padded(header + length)..];
        return true;
    }

    // 24 bits of length: no overflow.
    private static int Padded(int length) => (length + 3) & ~3;
}
