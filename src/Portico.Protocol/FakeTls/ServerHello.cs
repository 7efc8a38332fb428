using System.Buffers.Binary;

namespace Portico.Protocol.FakeTls;

/// <summary>What a real server's hello says (RFC 8446 section 4.1.3): the fields in which an observer compares two servers.</summary>
public readonly record struct ServerHello
{
    /// <summary>Far above any: with a post-quantum share it has 1206 bytes.</summary>
    public const int MaxMessageLength = 4096;

    /// <summary>It is an answer of TLS 1.3. False: an older version, and nothing else here counts.</summary>
    public bool IsTls13 { get; private init; }

    /// <summary>The server demands another hello, with a share of <see cref="Group"/>.</summary>
    public bool IsRetryRequest { get; private init; }

    /// <summary>The suite that it chose.</summary>
    public ushort CipherSuite { get; private init; }

    /// <summary>The group of its key share; 0 if it names none, which only a retry request may.</summary>
    public ushort Group { get; private init; }

    /// <summary>Which of the two extensions comes first.</summary>
    public ServerExtensionOrder Order { get; private init; }

    /// <summary>There are others than these two; ours never has any.</summary>
    public bool HasOtherExtensions { get; private init; }

    /// <summary>SHA-256 of "HelloRetryRequest", in place of a random.</summary>
    private static ReadOnlySpan<byte> RetryRandom =>
    [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];

    /// <summary>Reads one whole handshake message.</summary>
    /// <param name="message">Type, length and body; nothing behind it.</param>
    /// <param name="hello">The fields, default if false.</param>
    public static bool TryParse(ReadOnlySpan<byte> message, out ServerHello hello)
    {
        hello = default;
        if (message.Length is < TlsWire.MessageHeaderLength or > MaxMessageLength
            || BinaryPrimitives.ReadUInt32BigEndian(message)
                != ((uint)TlsWire.ServerHelloType << 24 | (uint)(message.Length - TlsWire.MessageHeaderLength)))
            return false;

        var cursor = new TlsCursor(message[TlsWire.MessageHeaderLength..]);
        ReadOnlySpan<byte> extensions = default;
        if (!cursor.TryTakeUInt16(out var version)
            || !cursor.TryTake(TlsWire.RandomLength, out var random)
            || !cursor.TryTakeVector8(out var sessionId) || sessionId.Length > TlsWire.MaxSessionIdLength
            || !cursor.TryTakeUInt16(out var suite)
            || !cursor.TryTake(1, out _)  // compression
            || (!cursor.AtEnd && !cursor.TryTakeVector16(out extensions))  // before TLS 1.3 there may be no block at all
            || !cursor.AtEnd)
            return false;

        var isRetry = random.SequenceEqual(RetryRandom);
        if (!TryReadExtensions(extensions, isRetry, out var found))
            return false;
        hello = found with { IsTls13 = found.IsTls13 && version == TlsWire.Version12, IsRetryRequest = isRetry, CipherSuite = suite };
        return !hello.IsTls13 || isRetry || hello.Group != 0;
    }

    private static bool TryReadExtensions(ReadOnlySpan<byte> block, bool isRetry, out ServerHello found)
    {
        found = default;
        var (hasVersions, hasShare, hasOther, isTls13) = (false, false, false, false);
        ushort group = 0;
        var order = ServerExtensionOrder.KeyShareFirst;
        var cursor = new TlsCursor(block);
        while (!cursor.AtEnd)
        {
            if (!cursor.TryTakeUInt16(out var type) || !cursor.TryTakeVector16(out var body))
                return false;
            switch (type)
            {
                case TlsWire.SupportedVersionsExtension:
                    if (hasVersions)
                        return false;
                    hasVersions = true;
                    isTls13 = body is [TlsWire.VersionByte, 4];
                    break;
                case TlsWire.KeyShareExtension:
                    if (hasShare || !TryReadGroup(body, isRetry, out group))
                        return false;
                    hasShare = true;
                    order = hasVersions ? ServerExtensionOrder.SupportedVersionsFirst : ServerExtensionOrder.KeyShareFirst;
                    break;
                default:
                    hasOther = true;
                    break;
            }
        }
        found = new ServerHello { IsTls13 = isTls13, Group = group, Order = order, HasOtherExtensions = hasOther };
        return true;
    }

    /// <summary>A retry request names the group alone, an answer has the server's key behind it.</summary>
    private static bool TryReadGroup(ReadOnlySpan<byte> body, bool isRetry, out ushort group)
    {
        var cursor = new TlsCursor(body);
        return cursor.TryTakeUInt16(out group)
            && (isRetry || (cursor.TryTakeVector16(out var key) && !key.IsEmpty))
            && cursor.AtEnd
            && group != 0;
    }
}
