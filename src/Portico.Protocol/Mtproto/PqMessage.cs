using System.Buffers.Binary;
using Portico.Protocol.MiddleProxy;

namespace Portico.Protocol.Mtproto;

/// <summary>
/// The first question of every client and its answer, which are not encrypted: who asks it through a proxy knows that Telegram is
/// behind it (core.telegram.org/mtproto/auth_key; spec/05 section 8). Points into the packet it was read from.
/// </summary>
/// <remarks>
/// <code>
/// 0                    8        16       20            24
/// | auth_key_id 8 = 0  | msg_id | length | constructor | nonce 16 |                                  req_pq, req_pq_multi
///                                                               40                56
///                                                               | server_nonce 16 | pq | fingerprints      resPQ
///
/// length         counts from the constructor on; clients put zeros behind the nonce and count them
/// pq             a string: 08 and 8 bytes, big-endian, filled up to 12
/// fingerprints   1cb5c415 | count 4 | 8 for each
/// </code>
/// Integers are little-endian. What stands behind the length is padding of the framing.
/// </remarks>
public readonly ref struct PqMessage
{
    /// <summary>Length of either nonce, in bytes.</summary>
    public const int NonceLength = 16;

    /// <summary>Length of the question that we write, in bytes.</summary>
    public const int RequestLength = ServerNonceOffset;

    /// <summary>Length of the answer that we write, in bytes.</summary>
    public const int AnswerLength = PqOffset + PqSize + VectorHeader + sizeof(ulong);

    private const uint ReqPq = 0x60469778;
    private const uint ReqPqMulti = 0xbe7e8ef1;
    private const uint ResPq = 0x05162463;
    private const uint VectorConstructor = 0x1cb5c415;

    private const int MessageIdOffset = 8;
    private const int LengthOffset = 16;
    private const int Body = 20;
    private const int NonceOffset = Body + sizeof(uint);
    private const int ServerNonceOffset = NonceOffset + NonceLength;
    private const int PqOffset = ServerNonceOffset + NonceLength;
    private const int PqSize = 12; // length, number, filling
    private const int VectorHeader = 8;

    // The low two bits of msg_id say who speaks: 0 a client, 1 a server that answers.
    private const long SpeakerBits = 3;
    private const long AnswerBits = 1;

    /// <summary>Which of the fields mean something.</summary>
    public PqMessageKind Kind { get; private init; }

    /// <summary>msg_id of a question or an answer.</summary>
    public long MessageId { get; private init; }

    /// <summary>What the client chose, in question and answer; else empty.</summary>
    public ReadOnlySpan<byte> Nonce { get; private init; }

    /// <summary>What the server chose, in an answer; else empty.</summary>
    public ReadOnlySpan<byte> ServerNonce { get; private init; }

    /// <summary>The product of two primes in an answer, big-endian; else empty.</summary>
    public ReadOnlySpan<byte> Pq { get; private init; }

    /// <summary>The keys that the server offers in an answer, 8 bytes each; else empty.</summary>
    public ReadOnlySpan<byte> Fingerprints { get; private init; }

    /// <summary>Whether it asks for resPQ.</summary>
    public bool IsRequest => Kind is PqMessageKind.ReqPq or PqMessageKind.ReqPqMulti;

    /// <summary>Whether <see cref="MessageId"/> is that of a server's answer.</summary>
    public bool HasIdOfAnswer => (MessageId & SpeakerBits) == AnswerBits;

    /// <summary>Tells what a packet is. Hostile bytes are a kind, never an exception.</summary>
    /// <param name="packet">One whole packet, as the framing gives it.</param>
    public static PqMessage Read(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < sizeof(long) || BinaryPrimitives.ReadInt64LittleEndian(packet) != 0)
            return new() { Kind = PqMessageKind.Encrypted };
        if (packet.Length < NonceOffset)
            return Malformed;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(packet[LengthOffset..]);
        if (length < sizeof(uint) || length > (uint)(packet.Length - Body))
            return Malformed;
        var message = packet[..(Body + (int)length)];
        return BinaryPrimitives.ReadUInt32LittleEndian(message[Body..]) switch
        {
            ReqPq => ReadRequest(message, PqMessageKind.ReqPq),
            ReqPqMulti => ReadRequest(message, PqMessageKind.ReqPqMulti),
            ResPq => ReadAnswer(message),
            _ => new() { Kind = PqMessageKind.Unknown },
        };
    }

    /// <summary>Writes a question.</summary>
    /// <param name="target">At least <see cref="RequestLength"/> bytes.</param>
    /// <param name="isMulti">Whether it is req_pq_multi.</param>
    /// <param name="messageId">See <see cref="CreateMessageId"/>.</param>
    /// <param name="nonce">16 random bytes.</param>
    /// <returns>Its length in bytes.</returns>
    public static int WriteRequest(Span<byte> target, bool isMulti, long messageId, ReadOnlySpan<byte> nonce)
    {
        WriteHeader(target, RequestLength, messageId, isMulti ? ReqPqMulti : ReqPq);
        nonce[..NonceLength].CopyTo(target[NonceOffset..]);
        return RequestLength;
    }

    /// <summary>Writes an answer that offers one key.</summary>
    /// <param name="target">At least <see cref="AnswerLength"/> bytes.</param>
    /// <param name="messageId">See <see cref="CreateMessageId"/>.</param>
    /// <param name="nonce">That of the question.</param>
    /// <param name="serverNonce">16 random bytes.</param>
    /// <param name="pq">A product of two primes.</param>
    /// <param name="fingerprint">Which key of the server's.</param>
    /// <returns>Its length in bytes.</returns>
    public static int WriteAnswer(
        Span<byte> target, long messageId, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> serverNonce, ulong pq, ulong fingerprint)
    {
        WriteHeader(target, AnswerLength, messageId, ResPq);
        nonce[..NonceLength].CopyTo(target[NonceOffset..]);
        serverNonce[..NonceLength].CopyTo(target[ServerNonceOffset..]);
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(number, pq);
        TlString.Write(target[PqOffset..], number);
        var vector = target[(PqOffset + PqSize)..];
        BinaryPrimitives.WriteUInt32LittleEndian(vector, VectorConstructor);
        BinaryPrimitives.WriteUInt32LittleEndian(vector[sizeof(uint)..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(vector[VectorHeader..], fingerprint);
        return AnswerLength;
    }

    /// <summary>A msg_id: Unix seconds in the upper half, the fraction of the second in the lower.</summary>
    /// <param name="unixMilliseconds">The time.</param>
    /// <param name="ofAnswer">Whether it is for an answer.</param>
    public static long CreateMessageId(long unixMilliseconds, bool ofAnswer)
    {
        var (seconds, rest) = Math.DivRem(unixMilliseconds, 1000);
        return (seconds << 32) | (((rest << 32) / 1000) & ~SpeakerBits) | (ofAnswer ? AnswerBits : 0);
    }

    private static PqMessage Malformed => new() { Kind = PqMessageKind.Malformed };

    private static PqMessage ReadRequest(ReadOnlySpan<byte> message, PqMessageKind kind) => message.Length < ServerNonceOffset
        ? Malformed
        : new() { Kind = kind, MessageId = IdOf(message), Nonce = message.Slice(NonceOffset, NonceLength) };

    private static PqMessage ReadAnswer(ReadOnlySpan<byte> message)
    {
        if (message.Length < PqOffset)
            return Malformed;
        var rest = message[PqOffset..];
        if (!TlString.TryTake(ref rest, out var pq) || pq.IsEmpty || rest.Length < VectorHeader)
            return Malformed;
        var count = BinaryPrimitives.ReadUInt32LittleEndian(rest[sizeof(uint)..]);
        var fingerprints = rest[VectorHeader..];
        if (BinaryPrimitives.ReadUInt32LittleEndian(rest) != VectorConstructor || fingerprints.Length != sizeof(ulong) * (long)count)
            return Malformed;
        return new()
        {
            Kind = PqMessageKind.ResPq,
            MessageId = IdOf(message),
            Nonce = message.Slice(NonceOffset, NonceLength),
            ServerNonce = message.Slice(ServerNonceOffset, NonceLength),
            Pq = pq,
            Fingerprints = fingerprints,
        };
    }

    private static long IdOf(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadInt64LittleEndian(message[MessageIdOffset..]);

    private static void WriteHeader(Span<byte> target, int length, long messageId, uint constructor)
    {
        target[..MessageIdOffset].Clear();
        BinaryPrimitives.WriteInt64LittleEndian(target[MessageIdOffset..], messageId);
        BinaryPrimitives.WriteInt32LittleEndian(target[LengthOffset..], length - Body);
        BinaryPrimitives.WriteUInt32LittleEndian(target[Body..], constructor);
    }
}
