using System.Buffers;
using System.Buffers.Binary;

namespace Portico.Protocol.WebProxy;

/// <summary>One whole frame, its payload still where it arrived; and the writers of both sides.</summary>
/// <param name="header">What stands in front.</param>
/// <param name="payload">As many bytes as the header says.</param>
public readonly struct WebFrame(WebFrameHeader header, ReadOnlySequence<byte> payload)
{
    /// <summary>The longest payload of PING and PONG, in bytes.</summary>
    public const int MaxEcho = 64;

    /// <summary>The length of a WINDOW frame, in bytes.</summary>
    public const int WindowLength = WebFrameHeader.Length + sizeof(uint);

    private const byte Version = 1;

    /// <summary>What the frame says.</summary>
    public WebFrameType Type => header.Type;

    /// <summary>0 = the session itself.</summary>
    public uint Stream => header.Stream;

    /// <summary>A slice of what arrived: valid as long as that is.</summary>
    public ReadOnlySequence<byte> Payload => payload;

    /// <summary>HELLO whole: what a session is created with, byte for byte.</summary>
    public static ReadOnlySpan<byte> Hello => [(byte)WebFrameType.Hello, 0, 0, 0, 0, 0, 0, 1, Version];

    /// <summary>WELCOME whole: the answer.</summary>
    public static ReadOnlySpan<byte> Welcome => [(byte)WebFrameType.Welcome, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>The number in a WINDOW frame; 0, which none may carry, for a payload of another length than four bytes.</summary>
    public static uint ReadWindow(in ReadOnlySequence<byte> payload)
    {
        if (payload.Length != sizeof(uint))
            return 0;
        Span<byte> number = stackalloc byte[sizeof(uint)];
        payload.CopyTo(number);
        return BinaryPrimitives.ReadUInt32BigEndian(number);
    }

    /// <summary>OPEN: the app's side.</summary>
    /// <param name="destination">At least 8 bytes.</param>
    /// <param name="stream">1 to <see cref="WebFrameHeader.MaxStream"/>.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteOpen(Span<byte> destination, uint stream) =>
        new WebFrameHeader(WebFrameType.Open, stream, 0).Write(destination);

    /// <summary>The header of DATA; the payload belongs behind it.</summary>
    /// <param name="destination">At least 8 bytes.</param>
    /// <param name="stream">1 to <see cref="WebFrameHeader.MaxStream"/>.</param>
    /// <param name="length">1 to <see cref="WebFrameHeader.MaxPayload"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Too long a payload, or none, for which an app throws its carrier away.</exception>
    public static int WriteDataHeader(Span<byte> destination, uint stream, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        return new WebFrameHeader(WebFrameType.Data, stream, length).Write(destination);
    }

    /// <summary>CLOSE.</summary>
    /// <inheritdoc cref="WriteOpen"/>
    public static int WriteClose(Span<byte> destination, uint stream) =>
        new WebFrameHeader(WebFrameType.Close, stream, 0).Write(destination);

    /// <summary>WINDOW.</summary>
    /// <param name="destination">At least 12 bytes.</param>
    /// <param name="stream">1 to <see cref="WebFrameHeader.MaxStream"/>.</param>
    /// <param name="credit">How many more bytes the other side may send.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A credit of 0, which ends a session or a carrier.</exception>
    public static int WriteWindow(Span<byte> destination, uint stream, uint credit)
    {
        ArgumentOutOfRangeException.ThrowIfZero(credit);
        var length = new WebFrameHeader(WebFrameType.Window, stream, sizeof(uint)).Write(destination);
        BinaryPrimitives.WriteUInt32BigEndian(destination[length..], credit);
        return WindowLength;
    }

    /// <summary>PING: the relay's side.</summary>
    /// <param name="destination">8 bytes and the payload.</param>
    /// <param name="echo">At most <see cref="MaxEcho"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More bytes than that.</exception>
    public static int WritePing(Span<byte> destination, ReadOnlySpan<byte> echo) => WriteEcho(WebFrameType.Ping, destination, echo);

    /// <summary>PONG: the app's side.</summary>
    /// <inheritdoc cref="WritePing"/>
    public static int WritePong(Span<byte> destination, ReadOnlySpan<byte> echo) => WriteEcho(WebFrameType.Pong, destination, echo);

    /// <summary>BYE with an empty payload: the relay's side.</summary>
    /// <param name="destination">At least 8 bytes.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteBye(Span<byte> destination) => new WebFrameHeader(WebFrameType.Bye, 0, 0).Write(destination);

    private static int WriteEcho(WebFrameType type, Span<byte> destination, ReadOnlySpan<byte> echo)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(echo.Length, MaxEcho, nameof(echo));
        var length = new WebFrameHeader(type, 0, echo.Length).Write(destination);
        echo.CopyTo(destination[length..]);
        return length + echo.Length;
    }
}
