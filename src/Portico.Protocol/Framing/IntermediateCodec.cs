namespace Portico.Protocol.Framing;

/// <summary>Intermediate framing (spec/01 section 3.2): four length bytes, then the payload.</summary>
public readonly struct IntermediateCodec : IFrameCodec<IntermediateCodec>
{
    /// <inheritdoc/>
    public static Transport Transport => Transport.Intermediate;

    /// <inheritdoc/>
    public static int MaxHeader => LengthWord.Length;

    /// <inheritdoc/>
    public static int MaxPaddingToClient => 0;

    /// <inheritdoc/>
    public static FrameStatus TryRead(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason) =>
        TryRead(bytes, FrameCodec.MaxPacketFromClient, out frame, out reason);

    /// <inheritdoc/>
    public static FrameStatus TryReadFromServer(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason) =>
        LengthWord.IsQuickAckOfServer(bytes)
            ? FrameCodec.Body(bytes, header: 0, payload: QuickAckToken.Length, padding: 0, quickAck: true, out frame, out reason)
            : TryRead(bytes, FrameCodec.MaxPacketFromServer, out frame, out reason);

    /// <inheritdoc/>
    public static int WriteHeader(Span<byte> destination, int payloadLength, int paddingLength, bool quickAck)
    {
        FrameCodec.CheckPayload(payloadLength, int.MaxValue);
        ArgumentOutOfRangeException.ThrowIfNotEqual(paddingLength, 0);
        return LengthWord.Write(destination, payloadLength, quickAck);
    }

    private static FrameStatus TryRead(ReadOnlySpan<byte> bytes, int limit, out Frame frame, out ProtocolError reason)
    {
        if (!LengthWord.TryRead(bytes, out var payload, out var quickAck))
            return FrameCodec.HeaderIncomplete(out frame, out reason);
        if (payload >= limit)
            return FrameCodec.Refuse(ProtocolError.IntermediateMaxSize, out frame, out reason);
        if (payload == 0)
            return FrameCodec.Refuse(ProtocolError.ZeroLength, out frame, out reason);
        if (payload % FrameCodec.Alignment != 0)
            return FrameCodec.Refuse(ProtocolError.Unaligned, out frame, out reason);

        return FrameCodec.Body(bytes, LengthWord.Length, payload, padding: 0, quickAck, out frame, out reason);
    }
}
