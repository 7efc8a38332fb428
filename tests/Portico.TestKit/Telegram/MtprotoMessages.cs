using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Portico.TestKit.Telegram;

/// <summary>The unencrypted messages that ping a data centre (spec/05 section 8).</summary>
/// <remarks><code>
/// 0              8         16       20            24
/// | 8 zero bytes | msg_id  | length | constructor | nonce (16) ...
/// </code>All integers little-endian; length counts from the constructor on.</remarks>
public static class MtprotoMessages
{
    /// <summary>Length of a nonce, in bytes.</summary>
    public const int NonceLength = 16;

    private const int BodyOffset = 20;
    private const uint ReqPq = 0x60469778;
    private const uint ReqPqMulti = 0xbe7e8ef1;
    private const uint ResPq = 0x05162463;
    private const uint Vector = 0x1cb5c415;

    /// <summary>What a data centre sends instead of an answer to what it does not understand: -404 as int32.</summary>
    public static ReadOnlySpan<byte> NotFound => [0x6c, 0xfe, 0xff, 0xff];

    /// <summary>The question that every client begins with.</summary>
    public static byte[] CreateReqPq(ReadOnlySpan<byte> nonce, bool multi = true)
    {
        var message = new byte[BodyOffset + 4 + NonceLength];
        WriteHeader(message, messageId: 0x69a40000_00000000);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(BodyOffset), multi ? ReqPqMulti : ReqPq);
        nonce[..NonceLength].CopyTo(message.AsSpan(BodyOffset + 4));
        return message;
    }

    /// <summary>
    /// Whether a message asks for resPQ. Clients make theirs longer than needed (TDLib:
    /// 52 to 292 bytes), so the length says nothing.
    /// </summary>
    public static bool TryReadReqPq(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> nonce)
    {
        nonce = default;
        if (!IsUnencrypted(message) || message.Length < BodyOffset + 4 + NonceLength)
            return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(message[BodyOffset..]) is not (ReqPq or ReqPqMulti))
            return false;
        nonce = message.Slice(BodyOffset + 4, NonceLength);
        return true;
    }

    /// <summary>The answer: same nonce, a random one of the server, a product of two primes, one key fingerprint.</summary>
    public static byte[] CreateResPq(ReadOnlySpan<byte> nonce)
    {
        var message = new byte[BodyOffset + 4 + 2 * NonceLength + 12 + 16];
        WriteHeader(message, messageId: 0x69a40000_00000001);
        var body = message.AsSpan(BodyOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(body, ResPq);
        nonce.CopyTo(body[4..]);
        RandomNumberGenerator.Fill(body.Slice(20, NonceLength));
        body[36] = 8;  // pq: a string of 8 bytes, the whole padded to 12
        BinaryPrimitives.WriteUInt64BigEndian(body[37..], 1724114033281923457);
        BinaryPrimitives.WriteUInt32LittleEndian(body[48..], Vector);
        BinaryPrimitives.WriteInt32LittleEndian(body[52..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(body[56..], 0xd09d1d85de64fd85);
        return message;
    }

    /// <summary>Whether a message is resPQ to <paramref name="nonce"/>.</summary>
    public static bool IsResPq(ReadOnlySpan<byte> message, ReadOnlySpan<byte> nonce) =>
        IsUnencrypted(message) && message.Length >= BodyOffset + 4 + NonceLength
        && BinaryPrimitives.ReadUInt32LittleEndian(message[BodyOffset..]) == ResPq
        && message.Slice(BodyOffset + 4, NonceLength).SequenceEqual(nonce);

    /// <summary>auth_key_id zero.</summary>
    public static bool IsUnencrypted(ReadOnlySpan<byte> message) =>
        message.Length >= 8 && BinaryPrimitives.ReadInt64LittleEndian(message) == 0;

    private static void WriteHeader(Span<byte> message, long messageId)
    {
        BinaryPrimitives.WriteInt64LittleEndian(message[8..], messageId);
        BinaryPrimitives.WriteInt32LittleEndian(message[16..], message.Length - BodyOffset);
    }
}
