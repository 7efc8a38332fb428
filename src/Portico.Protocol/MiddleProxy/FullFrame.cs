using System.Buffers.Binary;
using Portico.Protocol.Crypto;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// Where one frame of a link lies in the bytes that were shown (spec/03 section 3),
/// and both sides of the format. All numbers are bytes.
/// </summary>
/// <remarks>
/// <code>
///  | length, counts all four fields | sequence | payload | CRC-32 of the three before |
///      numbers have 4 bytes, the payload any multiple of 4
///  | 04 00 00 00 | ...
///      padding: any number, before and between frames
/// </code>
/// </remarks>
/// <param name="PayloadOffset">Where the payload begins.</param>
/// <param name="PayloadLength">Its length, a multiple of four, possibly 0.</param>
/// <param name="Consumed">
/// Padding before the frame and the frame. With <see cref="FrameStatus.NeedMoreData"/>:
/// the padding alone, which can be dropped already.
/// </param>
/// <param name="Length">
/// The frame without padding. With <see cref="FrameStatus.NeedMoreData"/>:
/// what is being waited for, 0 while that is not known.
/// </param>
public readonly record struct FullFrame(int PayloadOffset, int PayloadLength, int Consumed, int Length)
{
    /// <summary>What stands before a payload.</summary>
    public const int HeaderLength = 8;

    /// <summary>What stands behind it.</summary>
    public const int TrailerLength = 4;

    /// <summary>The longest frame the protocol allows.</summary>
    public const int MaxLength = 1 << 24;

    /// <summary>
    /// The sequence number of each side's RPC_NONCE. RPC_HANDSHAKE has -1,
    /// then they count from 0, for each direction separately; padding does not count.
    /// </summary>
    public const int FirstSequence = -2;

    private const int WordLength = 4;
    private const int MinLength = HeaderLength + TrailerLength;
    private const uint PaddingWord = 4;

    /// <summary>
    /// Finds the next frame. A length or a sequence number that cannot
    /// be is refused as soon as it can be read, before the body.
    /// </summary>
    /// <param name="plain">Decrypted bytes, beginning at a frame or at padding.</param>
    /// <param name="sequence">The number that is due.</param>
    /// <param name="checkCrc">Whether to compute the checksum.</param>
    /// <param name="frame">The frame; <see langword="default"/> with <see cref="FrameStatus.Invalid"/>.</param>
    /// <param name="error">With <see cref="FrameStatus.Invalid"/>: one of the first four.</param>
    /// <param name="maxLength">The longest frame to accept, at most <see cref="MaxLength"/>.</param>
    public static FrameStatus TryRead(
        ReadOnlySpan<byte> plain, int sequence, bool checkCrc, out FullFrame frame, out MiddleProxyError error, int maxLength = MaxLength)
    {
        var padding = CountPadding(plain);
        var bytes = plain[padding..];
        frame = new FullFrame(0, 0, padding, 0);
        error = MiddleProxyError.None;
        if (bytes.Length < WordLength)
            return FrameStatus.NeedMoreData;

        // Unsigned: a negative length is a huge one.
        var wireLength = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (wireLength % WordLength != 0)
            return Refuse(MiddleProxyError.WrongAlignment, out frame, out error);
        if (wireLength < MinLength || wireLength > (uint)maxLength)
            return Refuse(MiddleProxyError.WrongLength, out frame, out error);
        if (bytes.Length >= HeaderLength && BinaryPrimitives.ReadInt32LittleEndian(bytes[WordLength..]) != sequence)
            return Refuse(MiddleProxyError.WrongSequence, out frame, out error);

        var length = (int)wireLength;
        if (bytes.Length < length)
        {
            frame = new FullFrame(0, 0, padding, length);
            return FrameStatus.NeedMoreData;
        }
        if (checkCrc && !HasRightChecksum(bytes[..length]))
            return Refuse(MiddleProxyError.WrongChecksum, out frame, out error);

        frame = new FullFrame(padding + HeaderLength, length - MinLength, padding + length, length);
        return FrameStatus.Ok;
    }

    /// <summary>Makes a frame of a payload that already stands in its place: fills in length, sequence number and checksum.</summary>
    /// <param name="frame"><see cref="HeaderLength"/> bytes, the payload, <see cref="TrailerLength"/> bytes.</param>
    /// <param name="sequence">The sender's next number.</param>
    /// <exception cref="ArgumentOutOfRangeException">A length this format cannot express.</exception>
    public static void Seal(Span<byte> frame, int sequence)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frame.Length, MinLength, nameof(frame));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frame.Length, MaxLength, nameof(frame));
        ArgumentOutOfRangeException.ThrowIfNotEqual(frame.Length % WordLength, 0, nameof(frame));

        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length);
        BinaryPrimitives.WriteInt32LittleEndian(frame[WordLength..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[^TrailerLength..], Crc32.Compute(frame[..^TrailerLength]));
    }

    /// <summary>Writes a whole frame, for payloads that stand somewhere else.</summary>
    /// <param name="destination">Room for the payload and 12 bytes more.</param>
    /// <param name="sequence">The sender's next number.</param>
    /// <param name="payload">A multiple of four bytes.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A length this format cannot express.</exception>
    public static int Write(Span<byte> destination, int sequence, ReadOnlySpan<byte> payload)
    {
        var frame = destination[..(payload.Length + MinLength)];
        payload.CopyTo(frame[HeaderLength..]);
        Seal(frame, sequence);
        return frame.Length;
    }

    /// <summary>How much padding fills the last cipher block: 0, 4, 8 or 12 bytes. One padding may serve several frames.</summary>
    /// <param name="total">Length of the frames since the last padding, a multiple of four.</param>
    public static int PaddingLength(int total) => -total & (MiddleProxyCipher.BlockLength - 1);

    /// <summary>Fills all of <paramref name="padding"/>, a multiple of four bytes, with padding words.</summary>
    public static void WritePadding(Span<byte> padding)
    {
        for (; !padding.IsEmpty; padding = padding[WordLength..])
            BinaryPrimitives.WriteUInt32LittleEndian(padding, PaddingWord);
    }

    private static int CountPadding(ReadOnlySpan<byte> plain)
    {
        var at = 0;
        while (plain.Length - at >= WordLength && BinaryPrimitives.ReadUInt32LittleEndian(plain[at..]) == PaddingWord)
            at += WordLength;
        return at;
    }

    private static bool HasRightChecksum(ReadOnlySpan<byte> frame) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[^TrailerLength..]) == Crc32.Compute(frame[..^TrailerLength]);

    private static FrameStatus Refuse(MiddleProxyError refusal, out FullFrame frame, out MiddleProxyError error)
    {
        (frame, error) = (default, refusal);
        return FrameStatus.Invalid;
    }
}
