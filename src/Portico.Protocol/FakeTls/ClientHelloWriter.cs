using System.Buffers.Binary;
using Portico.Protocol.Crypto;

namespace Portico.Protocol.FakeTls;

/// <summary>
/// Builds a hello as Telegram's clients send it (spec/02 section 13): GREASE,
/// the usual suites, extensions in an order that differs each time, one record.
/// For ping, the self test, the tests, and for asking a cover how it answers such a hello.
/// </summary>
/// <param name="random">Source of everything random, the order of extensions included.</param>
public sealed class ClientHelloWriter(RandomFill random)
{
    /// <summary>The longest name DNS knows, in bytes.</summary>
    public const int MaxDomainLength = 253;

    /// <summary>Room that any hello fits in, in bytes.</summary>
    public const int MaxLength = 1716 + MaxDomainLength + 3 * EchStep;

    private const int ClassicLength = 517;
    private const int EchStep = 32;
    private const int EchSmallestPayload = 144;

    private const int MlKemCoefficients = 768;
    private const int MlKemModulus = 3329;
    private const int MlKemSeedLength = 32;
    private const int MlKemKeyLength = MlKemCoefficients * 3 / 2 + MlKemSeedLength;

    private const ushort PaddingExtension = 0x0015;
    private const ushort EchExtension = 0xfe0d;

    /// <summary>In the order of their numbers; each hello permutes them.</summary>
    private static ReadOnlySpan<ushort> PostQuantumExtensions =>
        [
            0x0000, 0x0005, 0x000a, 0x000b, 0x000d, 0x0010, 0x0012, 0x0017,
            0x001b, 0x0023, 0x002b, 0x002d, 0x0033, 0x44cd, EchExtension, 0xff01,
        ];

    private static ReadOnlySpan<ushort> ClassicExtensions =>
        [0x0000, 0x0005, 0x000a, 0x000b, 0x000d, 0x0010, 0x0012, 0x0017, 0x001b, 0x0023, 0x002b, 0x002d, 0x0033, 0x4469, 0xff01];

    /// <summary>Behind the GREASE value and those of TLS 1.3: what servers of TLS 1.2 take.</summary>
    private static ReadOnlySpan<byte> OlderCipherSuites =>
    [
        0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8,
        0xc0, 0x13, 0xc0, 0x14, 0x00, 0x9c, 0x00, 0x9d, 0x00, 0x2f, 0x00, 0x35,
    ];

    private static ReadOnlySpan<byte> MlDsaAlgorithms => [0x09, 0x04, 0x09, 0x05, 0x09, 0x06];

    private static ReadOnlySpan<byte> SignatureAlgorithms =>
        [0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x03, 0x08, 0x05, 0x05, 0x01, 0x08, 0x06, 0x06, 0x01];

    /// <summary>The suites of TLS 1.3 to offer; all clients of Telegram offer the usual ones.</summary>
    public TlsSuiteOffer Suites { get; init; } = TlsSuiteOffer.Usual;

    /// <summary>Writes and signs one hello.</summary>
    /// <param name="hello">At least <see cref="MaxLength"/> bytes.</param>
    /// <param name="shape">Which clients to look like.</param>
    /// <param name="domain">The name to ask for, 1 to <see cref="MaxDomainLength"/> bytes.</param>
    /// <param name="key">The secret shared with the proxy.</param>
    /// <param name="timestamp">The time to sign, Unix seconds.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentException">The buffer is too small or the name empty or too long.</exception>
    public int Write(Span<byte> hello, ClientHelloShape shape, ReadOnlySpan<byte> domain, HmacKey key, uint timestamp)
    {
        if (hello.Length < MaxLength)
            throw new ArgumentException($"a hello needs {MaxLength} bytes, not {hello.Length}", nameof(hello));
        if (domain.Length is 0 or > MaxDomainLength)
            throw new ArgumentException($"a name has 1 to {MaxDomainLength} bytes, not {domain.Length}", nameof(domain));

        var grease = new Grease(random);
        var builder = new TlsBuilder(hello);
        builder.Write(TlsWire.ClientHelloRecordPrefix);
        builder.Take(2 + TlsWire.MessageHeaderLength);  // both lengths are filled in below
        builder.Write([TlsWire.VersionByte, TlsWire.VersionByte]);
        builder.Take(TlsWire.RandomLength);
        builder.WriteByte(TlsWire.MaxSessionIdLength);
        random(builder.Take(TlsWire.MaxSessionIdLength));
        var suites = builder.BeginVector();
        builder.WriteUInt16(grease.Suite);
        foreach (var suite in Suites.Suites)
            builder.WriteUInt16(suite);
        builder.Write(OlderCipherSuites);
        builder.EndVector(suites);
        builder.Write([1, 0]);  // one compression method: none

        var extensions = builder.BeginVector();
        builder.WriteUInt16(grease.FirstExtension);
        builder.WriteUInt16(0);
        WritePermuted(ref builder, shape, domain, grease);
        builder.WriteUInt16(grease.LastExtension);
        builder.Write([0, 1, 0]);
        if (shape == ClientHelloShape.Classic517)
            PadToClassicLength(ref builder);
        builder.EndVector(extensions);

        var written = hello[..builder.Length];
        var messageLength = written.Length - TlsWire.RecordHeaderLength;
        BinaryPrimitives.WriteUInt16BigEndian(written[3..], (ushort)messageLength);
        BinaryPrimitives.WriteUInt32BigEndian(
            written[5..], (uint)TlsWire.ClientHelloType << 24 | (uint)(messageLength - TlsWire.MessageHeaderLength));
        HelloDigest.Sign(written, key, timestamp);
        return written.Length;
    }

    private void WritePermuted(ref TlsBuilder builder, ClientHelloShape shape, scoped ReadOnlySpan<byte> domain, in Grease grease)
    {
        var all = shape == ClientHelloShape.PostQuantum ? PostQuantumExtensions : ClassicExtensions;
        Span<ushort> order = stackalloc ushort[all.Length];
        all.CopyTo(order);
        for (var last = order.Length - 1; last > 0; last--)
        {
            var other = RandomBelow(last + 1);
            (order[last], order[other]) = (order[other], order[last]);
        }
        foreach (var type in order)
        {
            builder.WriteUInt16(type);
            var body = builder.BeginVector();
            WriteBody(ref builder, type, shape, domain, grease);
            builder.EndVector(body);
        }
    }

    private void WriteBody(ref TlsBuilder builder, ushort type, ClientHelloShape shape, scoped ReadOnlySpan<byte> domain, in Grease grease)
    {
        switch (type)
        {
            case TlsWire.ServerNameExtension:
                var names = builder.BeginVector();
                builder.WriteByte(0);  // host name
                builder.WriteUInt16(domain.Length);
                builder.Write(domain);
                builder.EndVector(names);
                break;
            case 0x0005:  // status_request: OCSP, no responders, no extensions
                builder.Write([1, 0, 0, 0, 0]);
                break;
            case 0x000a:  // supported_groups
                var groups = builder.BeginVector();
                builder.WriteUInt16(grease.Group);
                if (shape == ClientHelloShape.PostQuantum)
                    builder.WriteUInt16(TlsWire.PostQuantumGroup);
                builder.WriteUInt16(TlsWire.X25519Group);
                builder.Write([0, 0x17, 0, 0x18]);
                builder.EndVector(groups);
                break;
            case 0x000b:  // ec_point_formats: uncompressed
                builder.Write([1, 0]);
                break;
            case 0x000d:  // signature_algorithms
                var algorithms = builder.BeginVector();
                if (shape == ClientHelloShape.PostQuantum)
                    builder.Write(MlDsaAlgorithms);
                builder.Write(SignatureAlgorithms);
                builder.EndVector(algorithms);
                break;
            case 0x0010:  // application_layer_protocol_negotiation
                builder.Write([0, 12, 2]);
                builder.Write("h2"u8);
                builder.WriteByte(8);
                builder.Write("http/1.1"u8);
                break;
            case 0x0012 or 0x0017 or 0x0023:  // signed_certificate_timestamp, extended_master_secret, session_ticket
                break;
            case 0x001b:  // compress_certificate: brotli
                builder.Write([2, 0, 2]);
                break;
            case TlsWire.SupportedVersionsExtension:
                builder.WriteByte(6);
                builder.WriteUInt16(grease.Version);
                builder.Write([3, 4, 3, 3]);
                break;
            case 0x002d:  // psk_key_exchange_modes: with (EC)DHE
                builder.Write([1, 1]);
                break;
            case TlsWire.KeyShareExtension:
                WriteKeyShares(ref builder, shape, grease);
                break;
            case 0x4469 or 0x44cd:  // application_settings, old and new number
                builder.Write([0, 3, 2]);
                builder.Write("h2"u8);
                break;
            case EchExtension:
                WriteEchGrease(ref builder);
                break;
            default:  // renegotiation_info
                builder.WriteByte(0);
                break;
        }
    }

    private void WriteKeyShares(ref TlsBuilder builder, ClientHelloShape shape, in Grease grease)
    {
        var shares = builder.BeginVector();
        builder.WriteUInt16(grease.Group);
        builder.Write([0, 1, 0]);
        if (shape == ClientHelloShape.PostQuantum)
        {
            builder.WriteUInt16(TlsWire.PostQuantumGroup);
            builder.WriteUInt16(MlKemKeyLength + TlsWire.X25519KeyLength);
            WriteMlKemKey(builder.Take(MlKemKeyLength));
            WriteX25519Key(builder.Take(TlsWire.X25519KeyLength));
        }
        builder.WriteUInt16(TlsWire.X25519Group);
        builder.WriteUInt16(TlsWire.X25519KeyLength);
        WriteX25519Key(builder.Take(TlsWire.X25519KeyLength));
        builder.EndVector(shares);
    }

    /// <summary>
    /// What an ML-KEM-768 key looks like (FIPS 203): pairs of 12-bit
    /// coefficients below the modulus in three bytes each, then a seed.
    /// </summary>
    private void WriteMlKemKey(Span<byte> key)
    {
        Span<byte> raw = stackalloc byte[MlKemCoefficients * 2];
        random(raw);
        for (var pair = 0; pair < MlKemCoefficients / 2; pair++)
        {
            var first = BinaryPrimitives.ReadUInt16LittleEndian(raw[(4 * pair)..]) % MlKemModulus;
            var second = BinaryPrimitives.ReadUInt16LittleEndian(raw[(4 * pair + 2)..]) % MlKemModulus;
            key[3 * pair] = unchecked((byte)first);
            key[3 * pair + 1] = unchecked((byte)(first >> 8 | second << 4));
            key[3 * pair + 2] = (byte)(second >> 4);
        }
        random(key[^MlKemSeedLength..]);
    }

    private void WriteX25519Key(Span<byte> key)
    {
        do random(key);
        while (!X25519Point.TryMake(key));
    }

    /// <summary>
    /// An encrypted_client_hello that no server can open: outer, HKDF-SHA256,
    /// AES-128-GCM, a configuration id, a key and a payload of one of four lengths.
    /// </summary>
    private void WriteEchGrease(ref TlsBuilder builder)
    {
        builder.Write([0, 0, 1, 0, 1]);
        random(builder.Take(1));
        builder.WriteUInt16(TlsWire.X25519KeyLength);
        WriteX25519Key(builder.Take(TlsWire.X25519KeyLength));
        var payload = EchSmallestPayload + EchStep * RandomBelow(4);
        builder.WriteUInt16(payload);
        random(builder.Take(payload));
    }

    /// <summary>A hello with a very long name is as long already and gets no padding.</summary>
    private static void PadToClassicLength(ref TlsBuilder builder)
    {
        const int ExtensionHeaderLength = 4;
        var missing = ClassicLength - builder.Length - ExtensionHeaderLength;
        if (missing < 0)
            return;
        builder.WriteUInt16(PaddingExtension);
        builder.WriteUInt16(missing);
        builder.Take(missing).Clear();
    }

    /// <summary>The bias of the remainder is below one in 2^28.</summary>
    private int RandomBelow(int limit)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        random(bytes);
        return (int)(BinaryPrimitives.ReadUInt32LittleEndian(bytes) % (uint)limit);
    }

    /// <summary>The reserved values of RFC 8701, 0a0a to fafa, that one hello uses.</summary>
    private readonly struct Grease
    {
        internal Grease(RandomFill random)
        {
            Span<byte> bytes = stackalloc byte[5];
            random(bytes);
            Suite = Value(bytes[0]);
            FirstExtension = Value(bytes[1]);
            LastExtension = Value(bytes[2]);
            if (LastExtension == FirstExtension)
                LastExtension ^= 0x1010;  // a type may stand in a hello only once
            Group = Value(bytes[3]);
            Version = Value(bytes[4]);
        }

        internal ushort Suite { get; }

        internal ushort FirstExtension { get; }

        internal ushort LastExtension { get; }

        /// <summary>The same in supported_groups and key_share.</summary>
        internal ushort Group { get; }

        internal ushort Version { get; }

        private static ushort Value(byte random) => (ushort)((random & 0xf0 | 0x0a) * 0x0101);
    }
}
