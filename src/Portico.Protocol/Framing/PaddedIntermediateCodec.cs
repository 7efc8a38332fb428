using System.Buffers.Binary;

namespace Portico.Protocol.Framing;

/// <summary>
/// Padded intermediate framing, "secure" or dd (spec/01 section 3.3):
/// the length counts payload and random padding together, and nothing says where one ends.
/// </summary>
/// <remarks>
/// Every receiver strips the length modulo four. A client that pads with more than three bytes so leaves some
/// of its padding in the payload; Telegram expects that. We send at most three, because some clients strip no more.
/// </remarks>
public readonly struct PaddedIntermediateCodec : IFrameCodec<PaddedIntermediateCodec>
{
    // The documented form of a quick acknowledgement: a body of this word, the four bytes, and up to 8 random bytes.
    private const uint QuickAckWord = 0xffffffff;
    private const int QuickAckBody = 4 + QuickAckToken.Length;
    private const int QuickAckMaxBody = QuickAckBody + 8;

    /// <inheritdoc/>
    public static Transport Transport => Transport.Padded;

    /// <inheritdoc/>
    public static int MaxHeader => LengthWord.Length;

    /// <inheritdoc/>
    public static int MaxPaddingToClient => FrameCodec.Alignment - 1;

    /// <inheritdoc/>
    public static FrameStatus TryRead(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason) =>
        TryRead(bytes, FrameCodec.MaxPacketFromClient, out frame, out reason);

    /// <inheritdoc/>
    public static FrameStatus TryReadFromServer(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason)
    {
        if (LengthWord.IsQuickAckOfServer(bytes))
            return FrameCodec.Body(bytes, header: 0, payload: QuickAckToken.Length, padding: 0, quickAck: true, out frame, out reason);

        var status = TryRead(bytes, FrameCodec.MaxPacketFromServer, out frame, out reason);
        var body = frame.Consumed - LengthWord.Length;
        if (status == FrameStatus.Ok && body is >= QuickAckBody and <= QuickAckMaxBody
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes[LengthWord.Length..]) == QuickAckWord)
            frame = new Frame(LengthWord.Length + sizeof(uint), QuickAckToken.Length, frame.Consumed, QuickAck: true);

        return status;
    }

    /// <inheritdoc/>
    public static int WriteHeader(Span<byte> destination, int payloadLength, int paddingLength, bool quickAck)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(paddingLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(paddingLength, FrameCodec.MaxPaddingFromClient);
        FrameCodec.CheckPayload(payloadLength, int.MaxValue - paddingLength);
        return LengthWord.Write(destination, payloadLength + paddingLength, quickAck);
    }

    private static FrameStatus TryRead(ReadOnlySpan<byte> bytes, int limit, out Frame frame, out ProtocolError reason)
    {
        if (!LengthWord.TryRead(bytes, out var following, out var quickAck))
            return FrameCodec.HeaderIncomplete(out frame, out reason);
        if (following >= limit)
            return FrameCodec.Refuse(ProtocolError.IntermediateMaxSize, out frame, out reason);

        var padding = following % FrameCodec.Alignment;
        if (following == padding)
            return FrameCodec.Refuse(ProtocolError.ZeroLength, out frame, out reason);

        return FrameCodec.Body(bytes, LengthWord.Length, following - padding, padding, quickAck, out frame, out reason);
    }
}
