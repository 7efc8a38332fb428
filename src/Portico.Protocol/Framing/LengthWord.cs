using System.Buffers.Binary;

namespace Portico.Protocol.Framing;

/// <summary>
/// The four header bytes that both intermediate framings share (spec/01 sections 3.2 and 3.3):
/// bit 31 is about quick acknowledgement, the rest counts the bytes that follow.
/// </summary>
internal static class LengthWord
{
    public const int Length = 4;
    private const uint QuickAckBit = 0x80000000;

    /// <summary>False while the four bytes are not all there.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out int following, out bool quickAck)
    {
        (following, quickAck) = (0, false);
        if (bytes.Length < Length)
            return false;

        var word = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        following = (int)(word & ~QuickAckBit);
        quickAck = (word & QuickAckBit) != 0;
        return true;
    }

    public static int Write(Span<byte> destination, int following, bool quickAck)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)following | (quickAck ? QuickAckBit : 0));
        return Length;
    }

    /// <summary>A server's quick acknowledgement has no header, but its last byte always has bit 7 set, which is bit 31 here.</summary>
    public static bool IsQuickAckOfServer(ReadOnlySpan<byte> bytes) => TryRead(bytes, out _, out var marked) && marked;
}
