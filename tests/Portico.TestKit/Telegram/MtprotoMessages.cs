using System.Security.Cryptography;
using Portico.Protocol.Mtproto;

namespace Portico.TestKit.Telegram;

/// <summary>The messages that ping a data centre (<see cref="PqMessage"/>), with what a test need not choose.</summary>
public static class MtprotoMessages
{
    /// <summary>Length of a nonce, in bytes.</summary>
    public const int NonceLength = PqMessage.NonceLength;

    private const long AnyTime = 1_772_355_584_000;
    private const ulong Product = 1724114033281923457;
    private const ulong Fingerprint = 0xd09d1d85de64fd85;

    /// <summary>What a data centre sends instead of an answer to what it does not understand: -404 as int32.</summary>
    public static ReadOnlySpan<byte> NotFound => [0x6c, 0xfe, 0xff, 0xff];

    /// <summary>The question that every client begins with.</summary>
    public static byte[] CreateReqPq(ReadOnlySpan<byte> nonce)
    {
        var message = new byte[PqMessage.RequestLength];
        PqMessage.WriteRequest(message, isMulti: true, PqMessage.CreateMessageId(AnyTime, ofAnswer: false), nonce);
        return message;
    }

    /// <summary>The answer of a data centre: resPQ with the nonce of the question, or <see cref="NotFound"/> to anything else.</summary>
    public static byte[] AnswerTo(ReadOnlySpan<byte> packet)
    {
        var asked = PqMessage.Read(packet);
        if (!asked.IsRequest) return NotFound.ToArray();
        var message = new byte[PqMessage.AnswerLength];
        PqMessage.WriteAnswer(
            message, PqMessage.CreateMessageId(AnyTime, ofAnswer: true), asked.Nonce, RandomNumberGenerator.GetBytes(NonceLength),
            Product, Fingerprint);
        return message;
    }

    /// <summary>Whether a message is resPQ to <paramref name="nonce"/>.</summary>
    public static bool IsResPq(ReadOnlySpan<byte> message, ReadOnlySpan<byte> nonce)
    {
        var answer = PqMessage.Read(message);
        return answer.Kind == PqMessageKind.ResPq && answer.HasIdOfAnswer && answer.Nonce.SequenceEqual(nonce);
    }
}
