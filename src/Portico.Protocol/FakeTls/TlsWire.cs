namespace Portico.Protocol.FakeTls;

/// <summary>Numbers of TLS that more than one file here needs (RFC 8446 sections 4 and 5).</summary>
internal static class TlsWire
{
    /// <summary>type 1, version 2, length 2.</summary>
    internal const int RecordHeaderLength = 5;

    /// <summary>type 1, length 3.</summary>
    internal const int MessageHeaderLength = 4;

    internal const byte ChangeCipherSpecType = 0x14;
    internal const byte AlertType = 0x15;
    internal const byte HandshakeType = 0x16;
    internal const byte ApplicationDataType = 0x17;

    internal const byte ClientHelloType = 1;
    internal const byte ServerHelloType = 2;

    /// <summary>Both halves of 03 03, the version every record but the first carries.</summary>
    internal const byte VersionByte = 3;

    /// <summary>TLS 1.2, which is what a hello of TLS 1.3 says where older ones had their version.</summary>
    internal const ushort Version12 = 0x0303;

    /// <summary>
    /// Where the random stands, counted from the start of the record,
    /// in both hellos: record header 5, message header 4, version 2.
    /// </summary>
    internal const int RandomOffset = 11;
    internal const int RandomLength = 32;
    internal const int RandomEnd = RandomOffset + RandomLength;

    internal const int MaxSessionIdLength = 32;

    internal const ushort ServerNameExtension = 0x0000;
    internal const ushort SupportedVersionsExtension = 0x002b;
    internal const ushort KeyShareExtension = 0x0033;

    internal const ushort X25519Group = 0x001d;

    /// <summary>X25519MLKEM768.</summary>
    internal const ushort PostQuantumGroup = 0x11ec;

    /// <summary>A client's share of it: an ML-KEM-768 key of 1184 bytes and one of x25519.</summary>
    internal const int PostQuantumShareLength = 1184 + X25519KeyLength;
    internal const int X25519KeyLength = 32;

    /// <summary>Stands in for a random while a digest over the hello is computed.</summary>
    internal static ReadOnlySpan<byte> ZeroRandom =>
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>What every record of a client's hello begins with: handshake, version 3.1 for the sake of old middle boxes.</summary>
    internal static ReadOnlySpan<byte> ClientHelloRecordPrefix => [HandshakeType, 3, 1];

    /// <summary>Whether bytes begin as they must: undecided while there are too few and none differs.</summary>
    internal static FrameStatus MatchPrefix(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> expected)
    {
        var known = Math.Min(bytes.Length, expected.Length);
        if (!bytes[..known].SequenceEqual(expected[..known]))
            return FrameStatus.Invalid;
        return known == expected.Length ? FrameStatus.Ok : FrameStatus.NeedMoreData;
    }
}
