using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Portico.TestKit.Memory;

namespace Portico.Core.Tests.Staging;

/// <summary>How a client of the stage differs from the usual one.</summary>
internal sealed record ClientTraits
{
    public bool IsTls { get; init; } = true;

    public Transport Transport { get; init; } = Transport.Padded;

    /// <summary>Replaces the transport's tag in the header.</summary>
    public uint? Tag { get; init; }

    public short Dc { get; init; } = 2;

    public ProxySecret Secret { get; init; } = Stage.Secret;

    public ClientHelloShape Shape { get; init; } = ClientHelloShape.Classic517;

    /// <summary>The suites of TLS 1.3 in its hello.</summary>
    public TlsSuiteOffer Suites { get; init; } = TlsSuiteOffer.Usual;

    /// <summary>The host that its hello names.</summary>
    public byte[] Domain { get; init; } = "example.com"u8.ToArray();

    /// <summary>Seconds that its clock is ahead.</summary>
    public int ClockAhead { get; init; }
}

/// <summary>A Telegram app on one connection: knows what to send, understands what comes back.</summary>
internal sealed class StageClient
{
    private readonly ClientTraits _traits;
    private readonly ObfuscatedEnd _end;
    private readonly byte[] _header;
    private readonly List<byte> _flight = [];
    private readonly MemoryStream _wire = new();
    private readonly MemoryStream _payload = new();
    private readonly MemoryStream _text = new();
    private TlsRecordReader _records;
    private bool _hasFlight;

    public StageClient(MemoryPeer peer, long unixSeconds, ClientTraits traits)
    {
        Peer = peer;
        _traits = traits;
        _end = ObfuscatedEnd.Open(traits.Tag ?? ObfuscatedEnd.Tag(traits.Transport), traits.Dc, traits.Secret, out _header);
        if (!traits.IsTls) return;
        using var key = new HmacKey(traits.Secret);
        var hello = new byte[ClientHelloWriter.MaxLength];
        var length = new ClientHelloWriter(RandomNumberGenerator.Fill) { Suites = traits.Suites }
            .Write(hello, traits.Shape, traits.Domain, key, (uint)(unixSeconds + traits.ClockAhead));
        Hello = hello[..length];
    }

    public MemoryPeer Peer { get; }

    /// <summary>Empty without TLS.</summary>
    public byte[] Hello { get; } = [];

    /// <summary>
    /// The 64-byte header as this client puts it on the wire:
    /// behind ChangeCipherSpec and in a record with TLS, bare without.
    /// </summary>
    public byte[] Header => _traits.IsTls ? [.. TlsRecordWriter.ChangeCipherSpec, .. Wrap(_header)] : _header;

    /// <summary>The flight as it came, once <see cref="HasFlight"/>.</summary>
    public byte[] Flight { get; private set; } = [];

    /// <summary>The whole of the server's flight was seen and its signature is right.</summary>
    public bool HasFlight
    {
        get
        {
            Receive();
            return _hasFlight;
        }
    }

    /// <summary>
    /// What came in the proxy's records, or without any, before it is decrypted:
    /// with pass-through the very bytes of the DC.
    /// </summary>
    public byte[] Payload
    {
        get
        {
            Receive();
            return _payload.ToArray();
        }
    }

    /// <summary>Everything the DC said so far, decrypted.</summary>
    public byte[] Text
    {
        get
        {
            Receive();
            return _text.ToArray();
        }
    }

    /// <summary>Payload of each record behind the flight that has begun to arrive.</summary>
    public List<int> RecordLengths
    {
        get
        {
            Receive();
            var lengths = new List<int>();
            var wire = _wire.ToArray();
            for (var at = 0; at + TlsRecordWriter.HeaderLength <= wire.Length; at += TlsRecordWriter.HeaderLength + lengths[^1])
                lengths.Add((wire[at + 3] << 8) | wire[at + 4]);
            return lengths;
        }
    }

    /// <summary>
    /// What <paramref name="plain"/> looks like on the wire.
    /// Each call moves the cipher on: send in the order of the calls.
    /// </summary>
    public byte[] Encode(ReadOnlySpan<byte> plain)
    {
        var bytes = _end.Encrypt(plain);
        return _traits.IsTls ? Wrap(bytes) : bytes;
    }

    public void Say(ReadOnlySpan<byte> plain) => Peer.Send(Encode(plain));

    private static byte[] Wrap(byte[] payload)
    {
        var wire = new byte[TlsRecordWriter.WireLength(payload.Length)];
        TlsRecordWriter.Wrap(payload, wire);
        return wire;
    }

    private void Receive()
    {
        Span<byte> bytes = Peer.Take();
        if (_traits.IsTls && !_hasFlight)
        {
            _flight.AddRange(bytes);
            using var key = new HmacKey(_traits.Secret);
            var answer = _flight.ToArray();
            var status = ServerFlightVerifier.Verify(answer, Hello.AsSpan(11, 32), key, out var length, out var fault);
            if (status == FrameStatus.Invalid)
                throw new InvalidOperationException($"not the proxy's flight: {fault}");
            if (status != FrameStatus.Ok) return;
            _hasFlight = true;
            Flight = answer[..length];
            bytes = answer.AsSpan(length);
        }

        if (_traits.IsTls)
        {
            _wire.Write(bytes);
            bytes = _records.Unwrap(bytes, out var end);
            if (end != TlsRecordEnd.None)
                throw new InvalidOperationException($"{end} from the proxy");
        }

        _payload.Write(bytes);
        _end.Decrypt(bytes);
        _text.Write(bytes);
    }
}
