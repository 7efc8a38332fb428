using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Portico.Protocol.WebSockets;

/// <summary>What a frame of a WebSocket is for (RFC 6455 section 5.2).</summary>
public enum WebSocketOpcode : byte
{
    /// <summary>Goes on with the message of the frame before.</summary>
    Continuation = 0,

    /// <summary>Begins a message of text.</summary>
    Text = 1,

    /// <summary>Begins a message of bytes.</summary>
    Binary = 2,

    /// <summary>The last frame of its sender.</summary>
    Close = 8,

    /// <summary>Asks for a <see cref="Pong"/> with the same payload.</summary>
    Ping = 9,

    /// <summary>Answers <see cref="Ping"/>, or tells that its sender is there.</summary>
    Pong = 10,
}

/// <summary>The beginning of a frame (RFC 6455 section 5.2): 2 to 14 bytes, as clients send it and servers do.</summary>
/// <param name="Opcode">What it is for.</param>
/// <param name="IsFinal">The message ends with it.</param>
/// <param name="Payload">Bytes behind the header, up to 2^63 - 1: what a peer announces, not what there is.</param>
/// <param name="Mask">The four bytes that clients mask their payload with, in the order of the wire; 0 where a server sent it.</param>
public readonly record struct WebSocketFrameHeader(WebSocketOpcode Opcode, bool IsFinal, long Payload, uint Mask)
{
    /// <summary>The longest header of a client, in bytes.</summary>
    public const int MaxLength = 14;

    /// <summary>The longest header of a server, which has no mask.</summary>
    public const int MaxServerLength = 10;

    /// <summary>The most that a close, a ping or a pong may carry, in bytes (section 5.5).</summary>
    public const int MaxControlPayload = 125;

    private const int Final = 0x80, Reserved = 0x70, Masked = 0x80, LengthOf16Bits = 126, LengthOf64Bits = 127;

    /// <summary>Whether it stands between the frames of messages: a close, a ping or a pong.</summary>
    public bool IsControl => IsControlOpcode(Opcode);

    /// <summary>
    /// Reads the header of a client's frame. One that is not masked, or uses what no extension was agreed on for, is invalid.
    /// </summary>
    /// <param name="bytes">From its first byte on.</param>
    /// <param name="header">The header, if the status is Ok.</param>
    /// <param name="length">Its own bytes.</param>
    public static FrameStatus TryRead(ReadOnlySpan<byte> bytes, out WebSocketFrameHeader header, out int length)
    {
        (header, length) = (default, 0);
        if (bytes.Length < 2)
            return bytes.Length == 0 || IsPossible(bytes[0]) ? FrameStatus.NeedMoreData : FrameStatus.Invalid;
        var opcode = (WebSocketOpcode)(bytes[0] & 0x0f);
        var (isFinal, shortLength) = ((bytes[0] & Final) != 0, bytes[1] & 0x7f);
        if (!IsPossible(bytes[0]) || (bytes[1] & Masked) == 0 || (IsControlOpcode(opcode) && shortLength > MaxControlPayload))
            return FrameStatus.Invalid;
        var lengthBytes = shortLength switch { LengthOf16Bits => 2, LengthOf64Bits => 8, _ => 0 };
        if (bytes.Length < 2 + lengthBytes) return FrameStatus.NeedMoreData;
        var payload = lengthBytes switch
        {
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
            8 => BinaryPrimitives.ReadInt64BigEndian(bytes[2..]),
            _ => shortLength,
        };
        if (payload < 0) return FrameStatus.Invalid;
        if (bytes.Length < 2 + lengthBytes + sizeof(uint)) return FrameStatus.NeedMoreData;
        length = 2 + lengthBytes + sizeof(uint);
        header = new(opcode, isFinal, payload, MemoryMarshal.Read<uint>(bytes[(2 + lengthBytes)..]));
        return FrameStatus.Ok;
    }

    /// <summary>The bytes of a server's header in front of so much payload.</summary>
    public static int ServerLength(int payload) => payload < LengthOf16Bits ? 2 : payload <= ushort.MaxValue ? 4 : MaxServerLength;

    /// <summary>Writes the header of a whole message of a server's, or of a control frame.</summary>
    /// <param name="target">Room for <see cref="ServerLength"/>.</param>
    /// <param name="opcode">What the frame is for.</param>
    /// <param name="payload">Bytes that follow.</param>
    /// <returns>Its bytes.</returns>
    public static int WriteServer(Span<byte> target, WebSocketOpcode opcode, int payload)
    {
        var length = ServerLength(payload);
        target[0] = (byte)(Final | (int)opcode);
        target[1] = length switch { 2 => (byte)payload, 4 => LengthOf16Bits, _ => LengthOf64Bits };
        if (length == 4) BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)payload);
        else if (length > 4) BinaryPrimitives.WriteInt64BigEndian(target[2..], payload);
        return length;
    }

    /// <summary>Takes the mask off a part of a payload (section 5.3), or puts it on.</summary>
    /// <param name="part">Changed in place.</param>
    /// <param name="mask">Of the frame.</param>
    /// <param name="offset">Bytes of the payload before the part.</param>
    public static void Unmask(Span<byte> part, uint mask, long offset)
    {
        Span<byte> turned = stackalloc byte[sizeof(ulong)];
        Span<byte> once = stackalloc byte[sizeof(uint)];
        MemoryMarshal.Write(once, mask);
        for (var i = 0; i < turned.Length; i++) turned[i] = once[(int)((offset + i) & 3)];
        var eight = MemoryMarshal.Read<ulong>(turned);
        var words = MemoryMarshal.Cast<byte, ulong>(part);
        for (var i = 0; i < words.Length; i++) words[i] ^= eight;
        for (var i = words.Length * sizeof(ulong); i < part.Length; i++) part[i] ^= turned[i & 7];
    }

    private static bool IsControlOpcode(WebSocketOpcode opcode) => opcode >= WebSocketOpcode.Close;

    // What the first byte alone says. Control frames come whole.
    private static bool IsPossible(byte first)
    {
        var opcode = (WebSocketOpcode)(first & 0x0f);
        return (first & Reserved) == 0 && opcode is <= WebSocketOpcode.Binary or (>= WebSocketOpcode.Close and <= WebSocketOpcode.Pong)
            && (!IsControlOpcode(opcode) || (first & Final) != 0);
    }
}
