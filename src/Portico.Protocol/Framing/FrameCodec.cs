using System.Diagnostics;

namespace Portico.Protocol.Framing;

/// <summary>What all framings have in common, and the way to one of them from a <see cref="Transport"/>.</summary>
public static class FrameCodec
{
    /// <summary>Payloads are whole words of this many bytes.</summary>
    public const int Alignment = 4;

    /// <summary>The longest header of any framing, in bytes.</summary>
    public const int LongestHeader = 4;

    /// <summary>A client's packet, padding included, must be shorter, in bytes.</summary>
    public const int MaxPacketFromClient = 1 << 20;

    /// <summary>A server's packet must be shorter, in bytes: the limit of the protocol behind the proxy.</summary>
    public const int MaxPacketFromServer = 1 << 24;

    /// <summary>The most padding, in bytes, that clients send with padded framing.</summary>
    public const int MaxPaddingFromClient = 15;

    /// <inheritdoc cref="IFrameCodec{TSelf}.TryRead"/>
    public static FrameStatus TryRead(
        Transport transport, ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason) =>
        transport switch
        {
            Transport.Abridged => AbridgedCodec.TryRead(bytes, out frame, out reason),
            Transport.Intermediate => IntermediateCodec.TryRead(bytes, out frame, out reason),
            Transport.Padded => PaddedIntermediateCodec.TryRead(bytes, out frame, out reason),
            _ => throw Unknown(transport),
        };

    /// <inheritdoc cref="IFrameCodec{TSelf}.TryReadFromServer"/>
    public static FrameStatus TryReadFromServer(
        Transport transport, ReadOnlySpan<byte> bytes, out Frame frame, out ProtocolError reason) =>
        transport switch
        {
            Transport.Abridged => AbridgedCodec.TryReadFromServer(bytes, out frame, out reason),
            Transport.Intermediate => IntermediateCodec.TryReadFromServer(bytes, out frame, out reason),
            Transport.Padded => PaddedIntermediateCodec.TryReadFromServer(bytes, out frame, out reason),
            _ => throw Unknown(transport),
        };

    /// <inheritdoc cref="IFrameCodec{TSelf}.WriteHeader"/>
    public static int WriteHeader(
        Transport transport, Span<byte> destination, int payloadLength, int paddingLength, bool quickAck) =>
        transport switch
        {
            Transport.Abridged => AbridgedCodec.WriteHeader(destination, payloadLength, paddingLength, quickAck),
            Transport.Intermediate => IntermediateCodec.WriteHeader(destination, payloadLength, paddingLength, quickAck),
            Transport.Padded => PaddedIntermediateCodec.WriteHeader(destination, payloadLength, paddingLength, quickAck),
            _ => throw Unknown(transport),
        };

    /// <summary>How much padding to send to a client: uniform over what its framing allows, 0 where it has none.</summary>
    /// <param name="transport">The client's framing.</param>
    /// <param name="random">One random byte.</param>
    public static int PaddingToClient(Transport transport, byte random) => transport switch
    {
        Transport.Padded => random % (PaddedIntermediateCodec.MaxPaddingToClient + 1),
        _ => 0,
    };

    /// <summary>Writes a whole packet.</summary>
    /// <param name="destination">Room for header, payload and padding.</param>
    /// <param name="payload">A multiple of four bytes.</param>
    /// <param name="padding">Random bytes; none where the framing has no padding.</param>
    /// <param name="quickAck">Asks for a quick acknowledgement: clients only.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A length this framing cannot express.</exception>
    public static int Write<TCodec>(Span<byte> destination, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> padding, bool quickAck)
        where TCodec : struct, IFrameCodec<TCodec>
    {
        var header = TCodec.WriteHeader(destination, payload.Length, padding.Length, quickAck);
        payload.CopyTo(destination[header..]);
        padding.CopyTo(destination[(header + payload.Length)..]);
        return header + payload.Length + padding.Length;
    }

    internal static FrameStatus HeaderIncomplete(out Frame frame, out ProtocolError reason)
    {
        (frame, reason) = (default, ProtocolError.None);
        return FrameStatus.NeedMoreData;
    }

    internal static FrameStatus Refuse(ProtocolError refusal, out Frame frame, out ProtocolError reason)
    {
        (frame, reason) = (default, refusal);
        return FrameStatus.Invalid;
    }

    /// <summary>The lengths are fine: waits for the body, or hands the packet out.</summary>
    internal static FrameStatus Body(
        ReadOnlySpan<byte> bytes, int header, int payload, int padding, bool quickAck, out Frame frame, out ProtocolError reason)
    {
        reason = ProtocolError.None;
        frame = new Frame(header, payload, header + payload + padding, quickAck);
        return bytes.Length >= frame.Consumed ? FrameStatus.Ok : FrameStatus.NeedMoreData;
    }

    internal static void CheckPayload(int payloadLength, int max)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payloadLength, max);
        ArgumentOutOfRangeException.ThrowIfNotEqual(payloadLength % Alignment, 0, nameof(payloadLength));
    }

    private static UnreachableException Unknown(Transport transport) => new($"Transport {(int)transport} has no framing");
}
