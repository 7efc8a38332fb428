using System.Buffers.Binary;

namespace Portico.Protocol.FakeTls;

/// <summary>
/// Collects a ClientHello from its 1 to 8 records (spec/02 section 2.1). Keeps no state:
/// call it with everything received so far; a call costs a look at each record header,
/// and bytes are copied only once, when a hello of several records is complete.
/// </summary>
/// <remarks>
/// <code>
/// one-record form:   16 03 01 | length 2 | 01 | length 3 | 03 03 | random 32 | ...
///                    0          3          5    6          9       11
/// </code>
/// </remarks>
public static class ClientHelloReader
{
    /// <summary>Message header and body of the shortest hello taken, in bytes. Telegram's clients pad up to it.</summary>
    public const int MinMessageLength = 512;

    /// <summary>
    /// Message header and body of the longest hello that can be a client's, twice what was measured of any.
    /// Trials cost by the byte and a stranger costs all of them, so a longer hello is refused before the first.
    /// </summary>
    public const int MaxClientMessageLength = 4096;

    /// <summary>
    /// All fragments of a hello together, in bytes: what one TLS record can hold.
    /// So long may a hello be in which only the name is looked for.
    /// </summary>
    public const int MaxMessageLength = 16384;

    /// <summary>More records than this is no client, only somebody probing for patience.</summary>
    public const int MaxRecords = 8;

    /// <summary>The longest one-record form, in bytes: the size of scratch.</summary>
    public const int MaxHelloLength = TlsWire.RecordHeaderLength + MaxMessageLength;

    /// <summary>The most raw bytes that can be needed before there is a verdict.</summary>
    public const int MaxRawLength = MaxRecords * TlsWire.RecordHeaderLength + MaxMessageLength;

    /// <summary>
    /// Do the bytes choose the TLS path? Ok from three bytes on,
    /// <see cref="FrameStatus.Invalid"/> as soon as one differs from 16 03 01.
    /// </summary>
    public static FrameStatus Recognize(ReadOnlySpan<byte> raw) => TlsWire.MatchPrefix(raw, TlsWire.ClientHelloRecordPrefix);

    /// <summary>The random of a hello whose first record reaches that far, as hellos in one record do; empty for all other bytes.</summary>
    /// <param name="raw">Everything received so far.</param>
    public static ReadOnlySpan<byte> RandomOf(ReadOnlySpan<byte> raw) =>
        raw.Length >= TlsWire.RandomEnd && Recognize(raw) == FrameStatus.Ok ? raw[TlsWire.RandomOffset..TlsWire.RandomEnd] : default;

    /// <summary>Collects the hello, deciding with the first field that can be no part of one.</summary>
    /// <param name="raw">Everything received so far.</param>
    /// <param name="scratch">At least <see cref="MaxHelloLength"/> bytes; written only if the hello came in several records.</param>
    /// <param name="hello">
    /// The one-record form: a slice of <paramref name="raw"/> if it
    /// came in one record, else of <paramref name="scratch"/>.
    /// </param>
    /// <param name="rawConsumed">Raw bytes the hello took; those behind it belong to the records that follow.</param>
    /// <param name="error">
    /// With <see cref="FrameStatus.Invalid"/>: <see cref="ProtocolError.TlsClientHelloTooShort"/>,
    /// <see cref="ProtocolError.TlsClientHelloTooLong"/>, <see cref="ProtocolError.TlsBadClientHello"/>,
    /// or <see cref="ProtocolError.TlsClientHelloExpected"/> if the bytes do not even begin 16 03 01.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="scratch"/> is too small; thrown whatever the bytes are.</exception>
    public static FrameStatus TryCollect(
        ReadOnlySpan<byte> raw, Span<byte> scratch, out ReadOnlySpan<byte> hello, out int rawConsumed, out ProtocolError error) =>
        Collect(raw, scratch, MinMessageLength, MaxClientMessageLength, out hello, out rawConsumed, out error);

    /// <summary>
    /// The host a stranger asks for, for the cover mode <c>sni</c> (spec/02 section 10.2). More lenient than the judge:
    /// short and long messages and long session ids count too, and what stands behind the name is not looked at.
    /// </summary>
    /// <param name="raw">Everything received so far.</param>
    /// <param name="scratch">At least <see cref="MaxHelloLength"/> bytes.</param>
    /// <param name="sni">The name as sent, not case-folded, never empty when the status is Ok.</param>
    /// <returns>Ok with the name; NeedMoreData while the message may still become complete; Invalid if there is no usable name.</returns>
    /// <exception cref="ArgumentException"><paramref name="scratch"/> is too small.</exception>
    public static FrameStatus TryFindUsableSni(ReadOnlySpan<byte> raw, Span<byte> scratch, out ReadOnlySpan<byte> sni)
    {
        sni = default;
        var status = Collect(raw, scratch, minMessageLength: 0, MaxMessageLength, out var hello, out _, out _);
        if (status != FrameStatus.Ok)
            return status;
        return ClientHello.TryFindSni(hello, out sni) ? FrameStatus.Ok : FrameStatus.Invalid;
    }

    private static FrameStatus Collect(
        ReadOnlySpan<byte> raw, Span<byte> scratch, int minMessageLength, int maxMessageLength,
        out ReadOnlySpan<byte> hello, out int rawConsumed, out ProtocolError error)
    {
        if (scratch.Length < MaxHelloLength)
            throw new ArgumentException($"scratch needs {MaxHelloLength} bytes, not {scratch.Length}", nameof(scratch));
        hello = default;
        rawConsumed = 0;
        error = ProtocolError.None;

        Span<byte> messageHeader = stackalloc byte[TlsWire.MessageHeaderLength];
        var collected = 0;  // fragment bytes present
        var announced = 0;  // fragment bytes that the record headers so far promise
        var firstLength = 0;
        var position = 0;
        for (var record = 1; ; record++)
        {
            var rest = raw[position..];
            switch (Recognize(rest))
            {
                case FrameStatus.Invalid:
                    error = record == 1 ? ProtocolError.TlsClientHelloExpected : ProtocolError.TlsBadClientHello;
                    return FrameStatus.Invalid;
                case FrameStatus.Ok when rest.Length >= TlsWire.RecordHeaderLength:
                    break;
                default:
                    return FrameStatus.NeedMoreData;
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[3..]);
            announced += length;
            if (record == 1)
                firstLength = length;
            if (length == 0 || announced > MaxMessageLength)
            {
                error = ProtocolError.TlsBadClientHello;
                return FrameStatus.Invalid;
            }

            var fragment = rest.Slice(TlsWire.RecordHeaderLength, Math.Min(length, rest.Length - TlsWire.RecordHeaderLength));
            if (collected < messageHeader.Length)
                fragment[..Math.Min(fragment.Length, messageHeader.Length - collected)].CopyTo(messageHeader[collected..]);
            collected += fragment.Length;
            position += TlsWire.RecordHeaderLength + fragment.Length;

            var messageLength = collected >= messageHeader.Length ? MessageLength(messageHeader) : (int?)null;
            error = JudgeMessageHeader(collected, messageHeader[0], messageLength, announced, firstLength, minMessageLength);
            if (error == ProtocolError.None && messageLength > maxMessageLength)
                error = ProtocolError.TlsClientHelloTooLong;
            if (error != ProtocolError.None)
                return FrameStatus.Invalid;
            if (fragment.Length < length)
                return FrameStatus.NeedMoreData;
            if (collected == messageLength)
            {
                rawConsumed = position;
                hello = record == 1 ? raw[..position] : JoinRecords(raw[..position], scratch, collected);
                return FrameStatus.Ok;
            }
            if (record == MaxRecords)
            {
                error = ProtocolError.TlsBadClientHello;
                return FrameStatus.Invalid;
            }
        }
    }

    /// <summary>Rows 2 to 4 of the table in spec/02 section 2.1; the order of the tests is the order of the rows.</summary>
    private static ProtocolError JudgeMessageHeader(
        int collected, byte type, int? messageLength, int announced, int firstLength, int minMessageLength)
    {
        var isNoHello = collected > 0 && type != TlsWire.ClientHelloType;
        if (isNoHello || messageLength < minMessageLength)
            return firstLength < MinMessageLength ? ProtocolError.TlsClientHelloTooShort : ProtocolError.TlsBadClientHello;
        return messageLength > MaxMessageLength || messageLength < announced ? ProtocolError.TlsBadClientHello : ProtocolError.None;
    }

    private static int MessageLength(ReadOnlySpan<byte> header) =>
        TlsWire.MessageHeaderLength + (header[1] << 16 | header[2] << 8 | header[3]);

    private static ReadOnlySpan<byte> JoinRecords(ReadOnlySpan<byte> records, Span<byte> scratch, int messageLength)
    {
        TlsWire.ClientHelloRecordPrefix.CopyTo(scratch);
        BinaryPrimitives.WriteUInt16BigEndian(scratch[3..], (ushort)messageLength);
        var written = TlsWire.RecordHeaderLength;
        while (!records.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(records[3..]);
            records.Slice(TlsWire.RecordHeaderLength, length).CopyTo(scratch[written..]);
            written += length;
            records = records[(TlsWire.RecordHeaderLength + length)..];
        }
        return scratch[..written];
    }
}
