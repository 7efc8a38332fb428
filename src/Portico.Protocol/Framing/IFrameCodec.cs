namespace Portico.Protocol.Framing;

/// <summary>
/// One packet framing, both sides of it (spec/01 section 3). Implementations have no state:
/// a reader keeps what was not consumed and shows it again with more behind it.
/// </summary>
/// <typeparam name="TSelf">The codec itself.</typeparam>
public interface IFrameCodec<TSelf>
    where TSelf : struct, IFrameCodec<TSelf>
{
    /// <summary>The framing's name.</summary>
    static abstract Transport Transport { get; }

    /// <summary>The longest header, in bytes.</summary>
    static abstract int MaxHeader { get; }

    /// <summary>
    /// The most padding, in bytes, that may be sent to a client.
    /// Towards the proxy clients use up to <see cref="FrameCodec.MaxPaddingFromClient"/>.
    /// </summary>
    static abstract int MaxPaddingToClient { get; }

    /// <summary>
    /// The server's side: finds the first packet of a client.
    /// A length that is not allowed is refused as soon as it can be read, before the body.
    /// </summary>
    /// <param name="bytes">Decrypted bytes, beginning with a packet.</param>
    /// <param name="frame">The packet; <see cref="Frame.QuickAck"/> is the client's request.</param>
    /// <param name="reason">
    /// With <see cref="FrameStatus.Invalid"/>: the size limits, <see cref="ProtocolError.ZeroLength"/>
    /// or <see cref="ProtocolError.Unaligned"/>. They end this client only.
    /// </param>
    static abstract FrameStatus TryRead(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason);

    /// <summary>
    /// The client's side: finds the first packet or quick acknowledgement of a server,
    /// whose packets may have up to <see cref="FrameCodec.MaxPacketFromServer"/> bytes.
    /// </summary>
    /// <param name="bytes">Decrypted bytes, beginning with a packet or an acknowledgement.</param>
    /// <param name="frame">The packet, or with <see cref="Frame.QuickAck"/> four bytes for <see cref="QuickAckToken.Read"/>.</param>
    /// <param name="reason">As in <see cref="TryRead"/>.</param>
    static abstract FrameStatus TryReadFromServer(ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason);

    /// <summary>Writes what stands in front of a payload. The payload and then the padding, random bytes, follow.</summary>
    /// <param name="destination">At least <see cref="MaxHeader"/> bytes.</param>
    /// <param name="payloadLength">Bytes, a multiple of four.</param>
    /// <param name="paddingLength">Bytes; 0 where the framing has no padding.</param>
    /// <param name="quickAck">Asks for a quick acknowledgement: clients only.</param>
    /// <returns>Header bytes written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A length this framing cannot express.</exception>
    static abstract int WriteHeader(Span<byte> destination, int payloadLength, int paddingLength, bool quickAck);
}
