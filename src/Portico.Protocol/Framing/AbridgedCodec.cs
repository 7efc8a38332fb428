using System.Buffers.Binary;

namespace Portico.Protocol.Framing;

/// <summary>Abridged framing (spec/01 section 3.1): lengths count words of four bytes.</summary>
/// <remarks>
/// <code>
///  short:  | q nnnnnnn |                     n = 1..126
///  long:   | q 1111111 | n, 3 bytes LE |     any n; a reader also takes n below 127
/// </code>
/// q is the client's wish for a quick acknowledgement; from a server it marks the first byte of one, which has no header.
/// </remarks>
public readonly struct AbridgedCodec : IFrameCodec<AbridgedCodec>
{
    private const byte QuickAckBit = 0x80;
    private const byte LongForm = 0x7f;
    private const int ShortHeader = 1;
    private const int LongHeader = 4;
    private const int WordLength = 4;
    private const int MaxWords = (1 << 24) - 1;

    /// <inheritdoc/>
    public static Transport Transport => Transport.Abridged;

    /// <inheritdoc/>
    public static int MaxHeader => LongHeader;

    /// <inheritdoc/>
    public static int MaxPaddingToClient => 0;

    /// <inheritdoc/>
    public static FrameStatus TryRead(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason) =>
        TryRead(bytes, FrameCodec.MaxPacketFromClient, out frame, out reason);

    /// <inheritdoc/>
    public static FrameStatus TryReadFromServer(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason)
    {
        if (bytes.IsEmpty || (bytes[0] & QuickAckBit) == 0)
            return TryRead(bytes, FrameCodec.MaxPacketFromServer, out frame, out reason);

        return FrameCodec.Body(bytes, header: 0, payload: QuickAckToken.Length, padding: 0, quickAck: true, out frame, out reason);
    }

    /// <inheritdoc/>
    public static int WriteHeader(Span<byte> destination, int payloadLength, int paddingLength, bool quickAck)
    {
        FrameCodec.CheckPayload(payloadLength, MaxWords * WordLength);
        ArgumentOutOfRangeException.ThrowIfNotEqual(paddingLength, 0);

        var words = payloadLength / WordLength;
        var mark = quickAck ? QuickAckBit : 0;
        if (words < LongForm)
        {
            destination[0] = (byte)(words | mark);
            return ShortHeader;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(destination, ((uint)words << 8) | LongForm | (uint)mark);
        return LongHeader;
    }

    private static FrameStatus TryRead(ReadOnlySpan<byte> bytes, int limit, out Frame frame, out ProtocolError reason)
    {
        if (bytes.IsEmpty)
            return FrameCodec.HeaderIncomplete(out frame, out reason);

        var quickAck = (bytes[0] & QuickAckBit) != 0;
        var words = bytes[0] & ~QuickAckBit;
        var header = ShortHeader;
        if (words == LongForm)
        {
            if (bytes.Length < LongHeader)
                return FrameCodec.HeaderIncomplete(out frame, out reason);
            words = (int)(BinaryPrimitives.ReadUInt32LittleEndian(bytes) >> 8);
            header = LongHeader;
        }

        // 24 bits of words are at most 64 MiB: the product stays positive.
        var payload = words * WordLength;
        if (payload >= limit)
            return FrameCodec.Refuse(ProtocolError.AbridgedMaxSize, out frame, out reason);
        if (payload == 0)
            return FrameCodec.Refuse(ProtocolError.ZeroLength, out frame, out reason);

        return FrameCodec.Body(bytes, header, payload, padding: 0, quickAck, out frame, out reason);
    }
}
