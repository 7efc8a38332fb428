using System.Buffers.Binary;

namespace Portico.TestKit.Telegram;

/// <summary>What a test asks the fake data centre to do with a frame.</summary>
public enum TestCommand : uint
{
    /// <summary>Send the frame back.</summary>
    Echo = 1,

    /// <summary>
    /// Body: uint32 count, uint32 size. Sends count Source frames; body of number n:
    /// uint32 n, then <see cref="TestPattern"/> n up to size bytes.
    /// </summary>
    Source = 2,

    /// <summary>Body as a Source answer; checked and counted, not answered.</summary>
    Sink = 3,

    /// <summary>
    /// Answered with a Report frame: uint64 Sink frames, uint64 bytes
    /// of their bodies, both whose content was right and in order.
    /// </summary>
    Report = 4,

    /// <summary>FIN after everything that was sent before; the data centre goes on reading.</summary>
    Finish = 5,

    /// <summary>RST at once.</summary>
    Reset = 6,
}

/// <summary>
/// A message between a test and the fake data centre. To a proxy it looks like any encrypted message:
/// its auth_key_id is not zero. The explicit length sets a frame apart from the padding
/// behind it, which the padded transport does not (spec/01 section 3.3).
/// </summary>
/// <remarks><code>
/// 0        8        12       16
/// | "portico!" | command | length | body (length bytes) | padding of the transport
/// </code>All integers little-endian.</remarks>
public static class TestFrame
{
    /// <summary>Bytes before the body.</summary>
    public const int HeaderLength = 16;

    private static ReadOnlySpan<byte> AuthKeyId => "portico!"u8;

    /// <summary>
    /// A whole frame around <paramref name="body"/>; a body that is not a multiple
    /// of four bytes gets zeros behind it, which the receiver cuts.
    /// </summary>
    public static byte[] Create(TestCommand command, ReadOnlySpan<byte> body)
    {
        var frame = new byte[HeaderLength + ((body.Length + 3) & ~3)];
        WriteHeader(frame, command, body.Length);
        body.CopyTo(frame.AsSpan(HeaderLength));
        return frame;
    }

    /// <summary>A Source or Sink frame of <paramref name="size"/> body bytes.</summary>
    public static void WritePattern(Span<byte> frame, TestCommand command, uint sequence, int size)
    {
        WriteHeader(frame, command, size);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[HeaderLength..], sequence);
        TestPattern.Fill(frame.Slice(HeaderLength + 4, size - 4), sequence);
    }

    /// <summary>Whether a body is that of Source or Sink frame <paramref name="sequence"/>.</summary>
    public static bool IsPattern(ReadOnlySpan<byte> body, uint sequence) =>
        body.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(body) == sequence && TestPattern.Matches(body[4..], sequence);

    /// <summary>False for bytes that no test wrote.</summary>
    public static bool TryParse(ReadOnlySpan<byte> frame, out TestCommand command, out ReadOnlySpan<byte> body)
    {
        command = default;
        body = default;
        if (frame.Length < HeaderLength || !frame.StartsWith(AuthKeyId))
            return false;
        command = (TestCommand)BinaryPrimitives.ReadUInt32LittleEndian(frame[8..]);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(frame[12..]);
        if (length > frame.Length - HeaderLength)
            return false;
        body = frame.Slice(HeaderLength, (int)length);
        return true;
    }

    private static void WriteHeader(Span<byte> frame, TestCommand command, int length)
    {
        AuthKeyId.CopyTo(frame);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], (uint)command);
        BinaryPrimitives.WriteInt32LittleEndian(frame[12..], length);
    }
}
