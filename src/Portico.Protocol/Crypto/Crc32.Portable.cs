using System.Buffers.Binary;

namespace Portico.Protocol.Crypto;

/// <content>The twin for every processor, and the end of what the folding one leaves: eight bytes a step through eight tables.</content>
public static partial class Crc32
{
    private const uint ReflectedPolynomial = 0xEDB88320;
    private const int TableLength = 256;

    // Table k at [k * 256 + b]: what byte b becomes when k more bytes follow it. 8 KB.
    private static readonly uint[] Tables = MakeTables();

    // Works on the register, that is, without the two complements.
    internal static uint AppendPortable(uint register, ReadOnlySpan<byte> bytes)
    {
        // A span of known length and a byte as index leave few bounds checks to do.
        var tables = Tables.AsSpan(0, 8 * TableLength);
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            var low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ register;
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            register = unchecked(tables[(7 * TableLength) + (byte)low]
                ^ tables[(6 * TableLength) + (byte)(low >> 8)]
                ^ tables[(5 * TableLength) + (byte)(low >> 16)]
                ^ tables[(4 * TableLength) + (byte)(low >> 24)]
                ^ tables[(3 * TableLength) + (byte)high]
                ^ tables[(2 * TableLength) + (byte)(high >> 8)]
                ^ tables[(1 * TableLength) + (byte)(high >> 16)]
                ^ tables[(byte)(high >> 24)]);
        }
        foreach (var b in bytes)
            register = tables[unchecked((byte)(register ^ b))] ^ (register >> 8);
        return register;
    }

    private static uint[] MakeTables()
    {
        var tables = new uint[8 * TableLength];
        for (var index = 0; index < TableLength; index++)
        {
            var register = (uint)index;
            for (var bit = 0; bit < 8; bit++)
                register = (register & 1) != 0 ? (register >> 1) ^ ReflectedPolynomial : register >> 1;
            tables[index] = register;
        }
        for (var index = TableLength; index < tables.Length; index++)
        {
            var shorter = tables[index - TableLength];
            tables[index] = tables[unchecked((byte)shorter)] ^ (shorter >> 8);
        }
        return tables;
    }
}
