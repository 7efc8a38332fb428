using System.Buffers.Binary;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.FakeTls;

/// <summary>
/// Our answer to a hello (spec/02 sections 6 and 7): ServerHello, ChangeCipherSpec and exactly one ApplicationData
/// record, to be sent in one write. Clients refuse any other sequence, and silence must follow until they speak.
/// </summary>
/// <remarks>
/// <code>
///   0  16 03 03 | length 2              record: 90 + n
///   5  02 | length 3 | 03 03            message: 86 + n
///  11  digest 32
///  43  n | session id n                 the client's, n = 0..32
///  44+n  suite 2 | 00 | 00 2e           46 bytes of extensions
///  49+n  00 33 00 24 00 1d 00 20 | x25519 key 32
///  89+n  00 2b 00 02 03 04              (the two extensions may change places)
///  95+n  14 03 03 00 01 01
/// 101+n  17 03 03 | length 2 | random bytes
/// </code>
/// </remarks>
public static class ServerFlight
{
    /// <summary>The longest ApplicationData payload to use, in bytes: iOS refuses longer ones.</summary>
    public const int MaxAppDataLength = 10240;

    /// <summary>The shortest one while no cover was measured: certificate chain and the rest of an encrypted flight.</summary>
    public const int LeastRandomAppData = 1024;

    /// <summary>The longest one, likewise.</summary>
    public const int MostRandomAppData = 4096;

    private const int KeyShareLength = 8 + TlsWire.X25519KeyLength;
    private const int SupportedVersionsLength = 6;
    private const int ExtensionsLength = KeyShareLength + SupportedVersionsLength;

    /// <summary>All of the ServerHello record but the session id.</summary>
    private const int ServerHelloLength = TlsWire.RandomEnd + 1 + 2 + 1 + 2 + ExtensionsLength;

    /// <summary>Bytes of a flight.</summary>
    /// <param name="sessionIdLength">0 to 32.</param>
    /// <param name="appDataLength">Random bytes in the last record.</param>
    public static int Length(int sessionIdLength, int appDataLength) => AppDataOffset(sessionIdLength) + appDataLength;

    /// <summary>Where the random bytes begin. The caller fills the flight from there to its end before <see cref="Write"/>.</summary>
    public static int AppDataOffset(int sessionIdLength) =>
        ServerHelloLength + sessionIdLength + TlsRecordWriter.ChangeCipherSpec.Length + TlsWire.RecordHeaderLength;

    /// <summary>Working space for signing a flight, in bytes: a block for the key, the client's random, the flight.</summary>
    /// <param name="flightLength">As <see cref="Length"/> gave it.</param>
    public static int ScratchLength(int flightLength) => OneShotHmac.BlockLength + TlsWire.RandomLength + flightLength;

    /// <summary>Writes everything before the random bytes and signs the whole.</summary>
    /// <param name="flight">Exactly <see cref="Length"/> bytes, random from <see cref="AppDataOffset"/> on.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> bytes, outside the flight.</param>
    /// <param name="secret">The one that signed the hello.</param>
    /// <param name="clientRandom">The hello's 32 bytes as received.</param>
    /// <param name="sessionId">The hello's, echoed.</param>
    /// <param name="cipherSuite">As <see cref="TlsCipherSuites.Choose"/> gave it.</param>
    /// <param name="x25519Key">A 32-byte public key, never used before: observers see one that repeats or is off the curve.</param>
    /// <param name="order">As the cover orders them.</param>
    /// <exception cref="ArgumentException">
    /// A length is wrong: a mistake of the caller, never of a client whose hello was parsed.
    /// </exception>
    public static void Write(
        Span<byte> flight,
        Span<byte> scratch,
        ProxySecret secret,
        ReadOnlySpan<byte> clientRandom,
        ReadOnlySpan<byte> sessionId,
        ushort cipherSuite,
        ReadOnlySpan<byte> x25519Key,
        ServerExtensionOrder order)
    {
        var appDataLength = flight.Length - AppDataOffset(sessionId.Length);
        if (appDataLength is < 0 or > TlsRecordWriter.MaxPayload)
            throw new ArgumentException($"{flight.Length} bytes hold no flight", nameof(flight));
        if (clientRandom.Length != TlsWire.RandomLength)
            throw new ArgumentException($"a random has {TlsWire.RandomLength} bytes, not {clientRandom.Length}", nameof(clientRandom));
        if (sessionId.Length > TlsWire.MaxSessionIdLength)
            throw new ArgumentException(
                $"a session id has at most {TlsWire.MaxSessionIdLength} bytes, not {sessionId.Length}", nameof(sessionId));
        if (x25519Key.Length != TlsWire.X25519KeyLength)
            throw new ArgumentException($"an x25519 key has {TlsWire.X25519KeyLength} bytes, not {x25519Key.Length}", nameof(x25519Key));
        if (scratch.Length < ScratchLength(flight.Length))
            throw new ArgumentException($"scratch needs {ScratchLength(flight.Length)} bytes, not {scratch.Length}", nameof(scratch));

        var serverHello = flight[..(ServerHelloLength + sessionId.Length)];
        WriteServerHello(serverHello, sessionId, cipherSuite, x25519Key, order);
        var rest = flight[serverHello.Length..];
        TlsRecordWriter.ChangeCipherSpec.CopyTo(rest);
        TlsRecordWriter.WriteHeader(rest[TlsRecordWriter.ChangeCipherSpec.Length..], appDataLength);

        var signed = scratch[..ScratchLength(flight.Length)];
        clientRandom.CopyTo(signed[OneShotHmac.BlockLength..]);
        flight.CopyTo(signed[(OneShotHmac.BlockLength + TlsWire.RandomLength)..]);  // its random is still zero
        OneShotHmac.Compute(signed, secret.Key, flight.Slice(TlsWire.RandomOffset, TlsWire.RandomLength));
    }

    private static void WriteServerHello(
        Span<byte> record, ReadOnlySpan<byte> sessionId, ushort cipherSuite, ReadOnlySpan<byte> x25519Key, ServerExtensionOrder order)
    {
        var messageLength = record.Length - TlsWire.RecordHeaderLength;
        record[0] = TlsWire.HandshakeType;
        record[1] = record[2] = TlsWire.VersionByte;
        BinaryPrimitives.WriteUInt16BigEndian(record[3..], (ushort)messageLength);
        BinaryPrimitives.WriteUInt32BigEndian(
            record[5..], (uint)TlsWire.ServerHelloType << 24 | (uint)(messageLength - TlsWire.MessageHeaderLength));
        record[9] = record[10] = TlsWire.VersionByte;
        record[TlsWire.RandomOffset..TlsWire.RandomEnd].Clear();
        record[TlsWire.RandomEnd] = (byte)sessionId.Length;

        var rest = record[(TlsWire.RandomEnd + 1)..];
        sessionId.CopyTo(rest);
        rest = rest[sessionId.Length..];
        BinaryPrimitives.WriteUInt16BigEndian(rest, cipherSuite);
        rest[2] = 0;  // no compression
        BinaryPrimitives.WriteUInt16BigEndian(rest[3..], ExtensionsLength);
        rest = rest[5..];
        if (order == ServerExtensionOrder.KeyShareFirst)
        {
            WriteKeyShare(rest, x25519Key);
            WriteSupportedVersions(rest[KeyShareLength..]);
        }
        else
        {
            WriteSupportedVersions(rest);
            WriteKeyShare(rest[SupportedVersionsLength..], x25519Key);
        }
    }

    private static void WriteKeyShare(Span<byte> extension, ReadOnlySpan<byte> x25519Key)
    {
        BinaryPrimitives.WriteUInt16BigEndian(extension, TlsWire.KeyShareExtension);
        BinaryPrimitives.WriteUInt16BigEndian(extension[2..], KeyShareLength - 4);
        BinaryPrimitives.WriteUInt16BigEndian(extension[4..], TlsWire.X25519Group);
        BinaryPrimitives.WriteUInt16BigEndian(extension[6..], TlsWire.X25519KeyLength);
        x25519Key.CopyTo(extension[8..]);
    }

    private static void WriteSupportedVersions(Span<byte> extension)
    {
        const ushort Tls13 = 0x0304;
        BinaryPrimitives.WriteUInt16BigEndian(extension, TlsWire.SupportedVersionsExtension);
        BinaryPrimitives.WriteUInt16BigEndian(extension[2..], sizeof(ushort));
        BinaryPrimitives.WriteUInt16BigEndian(extension[4..], Tls13);
    }
}
