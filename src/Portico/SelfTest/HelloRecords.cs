using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Portico.SelfTest;

/// <summary>A ClientHello as bytes on the wire: what the client's checks need to know of it, and ways to send it otherwise.</summary>
/// <remarks>
/// <code>
/// 16 03 01 | length 2 | 01 | length 3 | 03 03 | random 32 | session id ...
/// 0          3          5    6          9       11          43
/// </code>
/// </remarks>
internal static class HelloRecords
{
    private const int LengthField = 3, Message = 5, Version = 9, Random = 11, SessionId = 43;
    private const int MalformedLength = 512;

    /// <summary>The client random, against which the flight is signed.</summary>
    public static ReadOnlySpan<byte> RandomOf(ReadOnlySpan<byte> hello) => hello[Random..SessionId];

    /// <summary>The same message cut into <paramref name="count"/> records of about equal length (spec/02 section 2.1).</summary>
    public static byte[] Split(ReadOnlySpan<byte> hello, int count)
    {
        var message = hello[Message..];
        var wire = new byte[message.Length + (count * Message)];
        var rest = wire.AsSpan();
        for (var left = count; left > 0; left--)
        {
            var fragment = message[..(message.Length / left)];
            hello[..LengthField].CopyTo(rest);
            BinaryPrimitives.WriteUInt16BigEndian(rest[LengthField..], (ushort)fragment.Length);
            fragment.CopyTo(rest[Message..]);
            rest = rest[(Message + fragment.Length)..];
            message = message[fragment.Length..];
        }

        return wire;
    }

    /// <summary>A record of the right length whose hello ends before its extensions do: what no TLS server can decode.</summary>
    public static byte[] Malformed()
    {
        var hello = new byte[Message + MalformedLength];
        ReadOnlySpan<byte> prefix = [0x16, 3, 1];
        prefix.CopyTo(hello);
        BinaryPrimitives.WriteUInt16BigEndian(hello.AsSpan(LengthField), MalformedLength);
        BinaryPrimitives.WriteUInt32BigEndian(hello.AsSpan(Message), (1u << 24) | (MalformedLength - (Version - Message)));
        hello[Version] = hello[Version + 1] = 3;
        RandomNumberGenerator.Fill(hello.AsSpan(Random..SessionId));

        // No session id, one suite, one compression method, extensions of length 0; the zeros behind belong to nothing.
        ReadOnlySpan<byte> rest = [0, 0, 2, 0x13, 1, 1, 0, 0, 0];
        rest.CopyTo(hello.AsSpan(SessionId));
        return hello;
    }
}
