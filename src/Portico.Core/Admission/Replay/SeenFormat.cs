using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Portico.Protocol.Crypto;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// What was seen of clients, as bytes of a file that only grows. Each frame has a checksum, so a write that was cut short costs nothing
/// but itself. The checksums guard against accidents, not against whoever may write the file.
/// </summary>
/// <remarks>
/// <code>
/// 8    "PTCSEEN" and the version, 2
/// 16   key of the hash
/// 4    CRC-32C of these 24 bytes
/// 4    how many items the file holds, once it is full or closed in order; else 0. Only a hint
///      then frames:
/// 4    when they came, Unix seconds
/// 4    how many items, 1 to 4096
/// 4    CRC-32C of the items
/// 4    CRC-32C of these 12 bytes
/// 8    for each item: the hash
/// </code>
/// Numbers are little-endian.
/// </remarks>
internal static class SeenFormat
{
    public const int HeaderLength = 32, FrameHeaderLength = 16, ItemLength = sizeof(ulong);

    public const int MostItems = 4096, MostFrameLength = FrameHeaderLength + (MostItems * ItemLength);

    private const int KeyOffset = 8, HeaderSumOffset = 24, HintOffset = 28, CountOffset = 4, ItemsSumOffset = 8, FrameSumOffset = 12;

    // So that zeros are no frame.
    private const uint SumStart = 0x5ee9_0002;

    private static ReadOnlySpan<byte> Name => "PTCSEEN\u0002"u8;

    public static void WriteHeader(Span<byte> header, ReadOnlySpan<byte> key, int items)
    {
        Name.CopyTo(header);
        key.CopyTo(header[KeyOffset..]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[HeaderSumOffset..], SumOf(header[..HeaderSumOffset]));
        BinaryPrimitives.WriteInt32LittleEndian(header[HintOffset..], items);
    }

    /// <summary>Reads a header.</summary>
    /// <param name="header">32 bytes.</param>
    /// <param name="key">Takes the 16 bytes of the key.</param>
    /// <param name="items">The hint; 0 = unknown.</param>
    public static bool TryReadHeader(ReadOnlySpan<byte> header, Span<byte> key, out int items)
    {
        items = 0;
        if (header.Length < HeaderLength || !header.StartsWith(Name)) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[HeaderSumOffset..]) != SumOf(header[..HeaderSumOffset]))
            return false;
        header.Slice(KeyOffset, SipHash128.KeyLength).CopyTo(key);
        items = Math.Max(0, BinaryPrimitives.ReadInt32LittleEndian(header[HintOffset..]));
        return true;
    }

    /// <summary>Writes one frame of at most <see cref="MostItems"/>.</summary>
    /// <returns>Its length.</returns>
    public static int WriteFrame(Span<byte> to, ReadOnlySpan<ulong> items, uint unixSeconds)
    {
        var payload = to.Slice(FrameHeaderLength, items.Length * ItemLength);
        for (var i = 0; i < items.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(payload[(i * ItemLength)..], items[i]);
        BinaryPrimitives.WriteUInt32LittleEndian(to, unixSeconds);
        BinaryPrimitives.WriteInt32LittleEndian(to[CountOffset..], items.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(to[ItemsSumOffset..], SumOf(payload));
        BinaryPrimitives.WriteUInt32LittleEndian(to[FrameSumOffset..], SumOfFrameHeader(to));
        return FrameHeaderLength + payload.Length;
    }

    /// <summary>Whether a frame stands at the beginning of <paramref name="bytes"/>, whole and unchanged.</summary>
    /// <param name="bytes">From there to the end of the file, or at least <see cref="MostFrameLength"/>.</param>
    /// <param name="items">Its items, as bytes.</param>
    /// <param name="unixSeconds">When they came.</param>
    public static bool TryReadFrame(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> items, out uint unixSeconds)
    {
        items = default;
        unixSeconds = 0;
        if (bytes.Length < FrameHeaderLength) return false;
        var count = BinaryPrimitives.ReadUInt32LittleEndian(bytes[CountOffset..]);
        if (count is 0 or > MostItems || bytes.Length - FrameHeaderLength < (int)count * ItemLength)
            return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[FrameSumOffset..]) != SumOfFrameHeader(bytes))
            return false;
        var payload = bytes.Slice(FrameHeaderLength, (int)count * ItemLength);
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[ItemsSumOffset..]) != SumOf(payload))
            return false;
        items = payload;
        unixSeconds = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        return true;
    }

    private static uint SumOfFrameHeader(ReadOnlySpan<byte> frame) =>
        BitOperations.Crc32C(
            BitOperations.Crc32C(SumStart, BinaryPrimitives.ReadUInt64LittleEndian(frame)),
            BinaryPrimitives.ReadUInt32LittleEndian(frame[ItemsSumOffset..]));

    // Of a multiple of eight bytes.
    private static uint SumOf(ReadOnlySpan<byte> bytes)
    {
        var sum = SumStart;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
            sum = BitOperations.Crc32C(sum, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        return sum;
    }
}
