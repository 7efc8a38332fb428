using System.Buffers.Binary;
using System.Security.Cryptography;
using Portico.Protocol.Mtproto;

namespace Portico.SelfTest;

/// <summary>How a client knows that Telegram has answered, and that its proxy told Telegram the truth (<see cref="PqMessage"/>).</summary>
internal static class PqCheck
{
    private const ulong Product = 0x17ed48941a08f981;

    /// <summary>Asks with req_pq or req_pq_multi.</summary>
    public static byte[] Request(bool isMulti, ReadOnlySpan<byte> nonce)
    {
        var packet = new byte[PqMessage.RequestLength];
        PqMessage.WriteRequest(packet, isMulti, MessageId(ofAnswer: false), nonce);
        return packet;
    }

    /// <summary>Answers. The server's nonce, random in real life, here tells the client what its proxy's header said.</summary>
    public static byte[] Answer(ReadOnlySpan<byte> nonce, SeenByTelegram seen)
    {
        Span<byte> serverNonce = stackalloc byte[PqMessage.NonceLength];
        seen.WriteTo(serverNonce);
        var packet = new byte[PqMessage.AnswerLength];
        var fingerprint = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        PqMessage.WriteAnswer(packet, MessageId(ofAnswer: true), nonce, serverNonce, Product, fingerprint);
        return packet;
    }

    /// <summary>What is wrong with an answer, or null; also if Telegram was told something else than the client has said.</summary>
    public static string? FaultOf(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> nonce, SeenByTelegram expected)
    {
        if (FaultOf(packet, nonce) is { } fault) return fault;
        Span<byte> seen = stackalloc byte[PqMessage.NonceLength];
        expected.WriteTo(seen);
        return PqMessage.Read(packet).ServerNonce.SequenceEqual(seen) ? null : "Telegram was told another DC, transport or ad tag";
    }

    /// <summary>What is wrong with an answer, or null.</summary>
    public static string? FaultOf(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> nonce)
    {
        if (packet.Length == sizeof(int))
            return $"the data centre answered with error {BinaryPrimitives.ReadInt32LittleEndian(packet)}";
        var answer = PqMessage.Read(packet);
        switch (answer.Kind)
        {
            case PqMessageKind.ResPq: break;
            case PqMessageKind.Encrypted: return "the answer is no unencrypted message";
            case PqMessageKind.Malformed: return "the answer has a wrong length or field";
            default: return "the answer is not resPQ";
        }

        if (!answer.HasIdOfAnswer)
            return "the answer's msg_id is not a server's";
        return answer.Nonce.SequenceEqual(nonce) ? null : "resPQ carries another nonce";
    }

    private static long MessageId(bool ofAnswer) =>
        PqMessage.CreateMessageId(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), ofAnswer);
}
