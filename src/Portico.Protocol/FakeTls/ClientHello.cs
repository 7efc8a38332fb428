using System.Buffers.Binary;

namespace Portico.Protocol.FakeTls;

/// <summary>
/// The fields of a ClientHello that matter here, as slices of its one-record
/// form (spec/02 section 3). Valid as long as those bytes are.
/// </summary>
public readonly ref struct ClientHello
{
    /// <summary>The whole one-record form, record header included: what is signed.</summary>
    public ReadOnlySpan<byte> Bytes { get; private init; }

    /// <summary>The 32 bytes that carry digest and time: key of the replay store and part of the server's digest.</summary>
    public ReadOnlySpan<byte> Random => Bytes.IsEmpty ? default : Bytes.Slice(TlsWire.RandomOffset, TlsWire.RandomLength);

    /// <summary>0 to 32 bytes, to be echoed.</summary>
    public ReadOnlySpan<byte> SessionId { get; private init; }

    /// <summary>The offered suites, two bytes each, in the client's order; an odd last byte means nothing.</summary>
    public ReadOnlySpan<byte> CipherSuites { get; private init; }

    /// <summary>The one host named, as sent (not case-folded). Empty: no name, several, or one that is no host name.</summary>
    public ReadOnlySpan<byte> Sni { get; private init; }

    /// <summary>Whether key_share is there at all, whatever it holds.</summary>
    public bool HasKeyShareExtension { get; private init; }

    /// <summary>The client's 32-byte x25519 key, or empty. The x25519 half of a post-quantum share does not count.</summary>
    public ReadOnlySpan<byte> X25519Share { get; private init; }

    /// <summary>
    /// There is an X25519MLKEM768 share too, as in every hello since 2025:
    /// servers answer the newer hellos with another flight.
    /// </summary>
    public bool HasPostQuantumShare { get; private init; }

    /// <summary>Checks the structure down to the single extension.</summary>
    /// <param name="oneRecordForm">A hello as <see cref="ClientHelloReader.TryCollect"/> gives it.</param>
    /// <param name="hello">The fields, default if false.</param>
    /// <param name="error"><see cref="ProtocolError.TlsBadClientHello"/> if false.</param>
    public static bool TryParse(ReadOnlySpan<byte> oneRecordForm, out ClientHello hello, out ProtocolError error)
    {
        hello = default;
        error = ProtocolError.TlsBadClientHello;
        if (oneRecordForm.Length < TlsWire.RecordHeaderLength + ClientHelloReader.MinMessageLength
            || !TryParseToExtensions(oneRecordForm, out var sessionId, out var cipherSuites, out var extensions)
            || sessionId.Length > TlsWire.MaxSessionIdLength
            || !TryFindExtensions(extensions, out var serverName, out var keyShare, out var hasKeyShare))
            return false;

        error = ProtocolError.None;
        var x25519 = ReadShares(keyShare, out var hasPostQuantum);
        hello = new ClientHello
        {
            Bytes = oneRecordForm,
            SessionId = sessionId,
            CipherSuites = cipherSuites,
            Sni = SingleHostName(serverName),
            HasKeyShareExtension = hasKeyShare,
            X25519Share = x25519,
            HasPostQuantumShare = hasPostQuantum,
        };
        return true;
    }

    /// <summary>
    /// The name of a hello that need not pass <see cref="TryParse"/>;
    /// see <see cref="ClientHelloReader.TryFindUsableSni"/>.
    /// </summary>
    internal static bool TryFindSni(ReadOnlySpan<byte> oneRecordForm, out ReadOnlySpan<byte> sni)
    {
        sni = default;
        if (!TryParseToExtensions(oneRecordForm, out _, out _, out var extensions))
            return false;
        var cursor = new TlsCursor(extensions);
        while (cursor.TryTakeUInt16(out var type) && cursor.TryTakeVector16(out var body))
        {
            if (type != TlsWire.ServerNameExtension)
                continue;
            sni = SingleHostName(body);
            return !sni.IsEmpty;
        }
        return false;
    }

    private static bool TryParseToExtensions(
        ReadOnlySpan<byte> record, out ReadOnlySpan<byte> sessionId, out ReadOnlySpan<byte> cipherSuites, out ReadOnlySpan<byte> extensions)
    {
        sessionId = cipherSuites = extensions = default;
        if (ClientHelloReader.Recognize(record) != FrameStatus.Ok || record.Length < TlsWire.RandomEnd)
            return false;
        var messageLength = record.Length - TlsWire.RecordHeaderLength;
        // One big-endian word holds the message type 01 and its 24-bit length.
        var typeAndLength = (uint)TlsWire.ClientHelloType << 24 | (uint)(messageLength - TlsWire.MessageHeaderLength);
        if (BinaryPrimitives.ReadUInt16BigEndian(record[3..]) != messageLength
            || BinaryPrimitives.ReadUInt32BigEndian(record[TlsWire.RecordHeaderLength..]) != typeAndLength
            || record[9] != TlsWire.VersionByte || record[10] != TlsWire.VersionByte)
            return false;

        var cursor = new TlsCursor(record[TlsWire.RandomEnd..]);
        return cursor.TryTakeVector8(out sessionId)
            && cursor.TryTakeVector16(out cipherSuites)
            && cursor.TryTakeVector8(out _)  // compression methods: clients without any exist
            && cursor.TryTakeVector16(out extensions)
            && cursor.AtEnd;
    }

    /// <summary>False if an extension runs past the block. Of several with the same type the first counts.</summary>
    private static bool TryFindExtensions(
        ReadOnlySpan<byte> block, out ReadOnlySpan<byte> serverName, out ReadOnlySpan<byte> keyShare, out bool hasKeyShare)
    {
        serverName = keyShare = default;
        hasKeyShare = false;
        var hasServerName = false;
        var cursor = new TlsCursor(block);
        while (!cursor.AtEnd)
        {
            if (!cursor.TryTakeUInt16(out var type) || !cursor.TryTakeVector16(out var body))
                return false;
            if (type == TlsWire.ServerNameExtension && !hasServerName)
            {
                hasServerName = true;
                serverName = body;
            }
            else if (type == TlsWire.KeyShareExtension && !hasKeyShare)
            {
                hasKeyShare = true;
                keyShare = body;
            }
        }
        return true;
    }

    /// <summary>The name in a server_name body that is a list of exactly one item of type 0 (RFC 6066 section 3), else empty.</summary>
    private static ReadOnlySpan<byte> SingleHostName(ReadOnlySpan<byte> body)
    {
        const byte HostName = 0;
        var outer = new TlsCursor(body);
        if (!outer.TryTakeVector16(out var list) || !outer.AtEnd)
            return default;
        var cursor = new TlsCursor(list);
        if (!cursor.TryTake(1, out var type) || !cursor.TryTakeVector16(out var name) || !cursor.AtEnd)
            return default;
        return type[0] == HostName ? name : default;
    }

    /// <summary>The first 32-byte x25519 entry of a key_share body whose list is intact, else empty.</summary>
    private static ReadOnlySpan<byte> ReadShares(ReadOnlySpan<byte> body, out bool hasPostQuantum)
    {
        hasPostQuantum = false;
        var outer = new TlsCursor(body);
        if (!outer.TryTakeVector16(out var list) || !outer.AtEnd)
            return default;
        ReadOnlySpan<byte> found = default;
        var postQuantum = false;
        var cursor = new TlsCursor(list);
        while (!cursor.AtEnd)
        {
            if (!cursor.TryTakeUInt16(out var group) || !cursor.TryTakeVector16(out var key))
                return default;
            if (group == TlsWire.X25519Group && key.Length == TlsWire.X25519KeyLength && found.IsEmpty)
                found = key;
            postQuantum |= group == TlsWire.PostQuantumGroup && key.Length == TlsWire.PostQuantumShareLength;
        }
        hasPostQuantum = postQuantum;
        return found;
    }
}
