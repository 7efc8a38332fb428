using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Portico.SelfTest;

/// <summary>The first question of every Telegram client and its answer, unencrypted (spec/05 section 8).</summary>
/// <remarks>
/// <code>
/// auth_key_id 8 = 0 | msg_id 8 | length 4 | constructor 4 | nonce 16 | resPQ: server_nonce 16 | pq 12 | fingerprints 16
/// 0                 8          16         20              24         40                       56      68
/// </code>
/// </remarks>
internal static class PqMessages
{
    public const uint ReqPq = 0x60469778;

    public const uint ReqPqMulti = 0xbe7e8ef1;

    public const int NonceLength = 16;

    private const uint ResPq = 0x05162463;
    private const uint VectorConstructor = 0x1cb5c415;

    private const int KeyIdLength = 8, MessageId = 8, BodyLength = 16, Body = 20, Nonce = 24, ServerNonce = 40, Pq = 56, Fingerprints = 68;
    private const int RequestLength = ServerNonce, AnswerLength = Fingerprints + 16;

    // From client to server the low two bits of msg_id are 0, in answers 1.
    private const long AnswerBits = 1;

    /// <summary>An unencrypted message names no key; anything else looks encrypted to us.</summary>
    public static bool IsUnencrypted(ReadOnlySpan<byte> packet) =>
        packet.Length >= Body && packet[..KeyIdLength].IndexOfAnyExcept((byte)0) < 0;

    /// <summary>Asks with <see cref="ReqPq"/> or <see cref="ReqPqMulti"/>.</summary>
    public static byte[] Request(uint constructor, ReadOnlySpan<byte> nonce)
    {
        var packet = Unencrypted(RequestLength, constructor, bits: 0);
        nonce.CopyTo(packet.AsSpan(Nonce));
        return packet;
    }

    /// <summary>The nonce of either question; bytes behind it are padding. False for any other message.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> packet, out ReadOnlySpan<byte> nonce)
    {
        nonce = default;
        if (packet.Length < RequestLength || !IsUnencrypted(packet)) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(packet[Body..]) is not (ReqPq or ReqPqMulti))
            return false;
        nonce = packet.Slice(Nonce, NonceLength);
        return true;
    }

    /// <summary>Answers. The server's nonce, random in real life, here tells the client what its proxy's header said.</summary>
    public static byte[] Answer(ReadOnlySpan<byte> nonce, SeenByTelegram seen)
    {
        var packet = Unencrypted(AnswerLength, ResPq, AnswerBits);
        nonce.CopyTo(packet.AsSpan(Nonce));
        seen.WriteTo(packet.AsSpan(ServerNonce));
        ReadOnlySpan<byte> pq = [8, 0x17, 0xed, 0x48, 0x94, 0x1a, 0x08, 0xf9, 0x81, 0, 0, 0];
        pq.CopyTo(packet.AsSpan(Pq));
        BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(Fingerprints), VectorConstructor);
        packet[Fingerprints + 4] = 1;
        RandomNumberGenerator.Fill(packet.AsSpan(Fingerprints + 8));
        return packet;
    }

    /// <summary>What is wrong with an answer, or null.</summary>
    public static string? FaultOf(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> nonce, SeenByTelegram expected)
    {
        if (packet.Length < AnswerLength || !IsUnencrypted(packet))
            return "the answer is no unencrypted message";
        if (BinaryPrimitives.ReadUInt32LittleEndian(packet[Body..]) != ResPq)
            return "the answer is not resPQ";
        if ((BinaryPrimitives.ReadInt64LittleEndian(packet[MessageId..]) & 3) != AnswerBits)
            return "the answer's msg_id is not a server's";
        if (BinaryPrimitives.ReadInt32LittleEndian(packet[BodyLength..]) != AnswerLength - Body)
            return "resPQ has a wrong length";
        if (!packet.Slice(Nonce, NonceLength).SequenceEqual(nonce))
            return "resPQ carries another nonce";
        Span<byte> seen = stackalloc byte[NonceLength];
        expected.WriteTo(seen);
        return packet.Slice(ServerNonce, NonceLength).SequenceEqual(seen) ? null : "Telegram was told another DC, transport or ad tag";
    }

    // msg_id: Unix seconds in the upper half, the fraction of the second in the lower.
    private static byte[] Unencrypted(int length, uint constructor, long bits)
    {
        var packet = new byte[length];
        var ms = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var id = (ms / 1000 << 32) | ((ms % 1000 << 32) / 1000 & ~3L) | bits;
        BinaryPrimitives.WriteInt64LittleEndian(packet.AsSpan(MessageId), id);
        BinaryPrimitives.WriteInt32LittleEndian(packet.AsSpan(BodyLength), length - Body);
        BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(Body), constructor);
        return packet;
    }
}
