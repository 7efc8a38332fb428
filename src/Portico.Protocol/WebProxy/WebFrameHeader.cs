using System.Buffers.Binary;

namespace Portico.Protocol.WebProxy;

/// <summary>The eight bytes in front of every frame between app and relay. Numbers are big-endian.</summary>
/// <remarks>
/// <code>
/// | type: 1 | stream: 3 | length of the payload: 4 | payload
/// </code>
/// </remarks>
/// <param name="Type">What the frame says.</param>
/// <param name="Stream">0 to <see cref="MaxStream"/>; 0 = the session itself.</param>
/// <param name="PayloadLength">Bytes behind the header, at most <see cref="MaxPayload"/>.</param>
public readonly record struct WebFrameHeader(WebFrameType Type, uint Stream, int PayloadLength)
{
    /// <summary>Bytes.</summary>
    public const int Length = 8;

    /// <summary>The longest payload, in bytes.</summary>
    public const int MaxPayload = 1 << 20;

    /// <summary>The highest stream.</summary>
    public const uint MaxStream = 0xffffff;

    /// <summary>Reads a header. What cannot be is refused before the payload is waited for.</summary>
    /// <param name="bytes">From the first byte of a frame on.</param>
    /// <param name="header">The header; <see langword="default"/> unless Ok.</param>
    /// <param name="error">With <see cref="FrameStatus.Invalid"/>: of an unknown type, or too large.</param>
    public static FrameStatus TryRead(ReadOnlySpan<byte> bytes, out WebFrameHeader header, out WebProxyError error)
    {
        (header, error) = (default, WebProxyError.None);
        if (bytes.IsEmpty)
            return FrameStatus.NeedMoreData;
        var type = (WebFrameType)bytes[0];
        if (!IsKnown(type))
        {
            error = WebProxyError.UnknownType;
            return FrameStatus.Invalid;
        }
        if (bytes.Length < Length)
            return FrameStatus.NeedMoreData;

        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        if (length > MaxPayload)
        {
            error = WebProxyError.TooLarge;
            return FrameStatus.Invalid;
        }

        header = new WebFrameHeader(type, BinaryPrimitives.ReadUInt32BigEndian(bytes) & MaxStream, (int)length);
        return FrameStatus.Ok;
    }

    /// <summary>Writes the header; the payload belongs behind it.</summary>
    /// <param name="destination">At least 8 bytes.</param>
    /// <returns>8.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A stream or a length that the format cannot express.</exception>
    public int Write(Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Stream, MaxStream);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(unchecked((uint)PayloadLength), (uint)MaxPayload, nameof(PayloadLength));
        BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)Type << 24 | Stream);
        BinaryPrimitives.WriteInt32BigEndian(destination[4..], PayloadLength);
        return Length;
    }

    private static bool IsKnown(WebFrameType type) =>
        type is (>= WebFrameType.Open and <= WebFrameType.Pong) or (>= WebFrameType.Hello and <= WebFrameType.AuthResp) or WebFrameType.Bye;
}
