using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;
using Portico.TestKit.Framing;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Clients;

/// <summary>
/// A Telegram client: any link, any framing, any habit of writing.
/// Sending and receiving may run at the same time, each from one task.
/// </summary>
public sealed class FakeClient : IAsyncDisposable
{
    private const int ReadSize = 256 * 1024;
    private const int BatchSize = 128 * 1024;
    private const int QuickAckLength = 4;

    private readonly ClientProfile _profile;
    private readonly byte[] _header;
    private readonly ServerRecords _records = new();
    private readonly ByteSink _outgoing = new();
    private readonly ByteSink _raw = new();
    private readonly ByteSink _incoming = new();
    private ObfuscatedStreams _streams;
    private bool _sentChangeCipherSpec;
    private bool _sentHeader;

    private FakeClient(Wire wire, ClientProfile profile)
    {
        Wire = wire;
        _profile = profile;
        _header = ClientHeader.Create(profile.Secret, profile.Transport, profile.Dc, out _streams, profile.HeaderStart.AsSpan());
        if (!IsTls)
            return;
        var timestamp = profile.Timestamp ?? (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        Hello = HelloBytes.Create(profile.Secret!, profile.Domain, timestamp, profile.Shape);
    }

    /// <summary>The connection below, for what no honest client does.</summary>
    public Wire Wire { get; }

    /// <summary>The hello in one-record form; empty without TLS.</summary>
    public byte[] Hello { get; } = [];

    /// <summary>The 64 bytes in front of the packets, as they go on the wire.</summary>
    public byte[] Header => [.. _header];

    /// <summary>The server's answer to it, once it was received.</summary>
    public byte[] Flight { get; private set; } = [];

    /// <summary>TLS records received behind the flight.</summary>
    public int RecordCount => _records.Count;

    /// <summary>Payload of the longest of them.</summary>
    public int LongestRecord => _records.Longest;

    private bool IsTls => _profile.Mode == ClientMode.FakeTls;

    /// <summary>Connects and sends nothing yet.</summary>
    public static async Task<FakeClient> ConnectAsync(IPEndPoint endpoint, ClientProfile profile, int receiveBuffer = 0) =>
        new(await Wire.ConnectAsync(endpoint, receiveBuffer), profile);

    /// <summary>
    /// A client that has its flight, after as many attempts as it takes: hellos of the last moments before a start are refused.
    /// </summary>
    public static async Task<FakeClient> GreetSoonAsync(IPEndPoint endpoint, ProxySecret secret)
    {
        using var patience = new CancellationTokenSource(Wire.Patience);
        while (true)
        {
            var signedAt = (uint)DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 2;
            var client = await ConnectAsync(endpoint, new ClientProfile { Secret = secret, Timestamp = signedAt });
            try
            {
                await client.GreetAsync();
                return client;
            }
            catch (PeerSurpriseException) when (!patience.IsCancellationRequested)
            {
                await client.DisposeAsync();
                await Task.Delay(200, CancellationToken.None);
            }
        }
    }

    /// <summary>Reads until the server ends, be it within a record: what an operator ends, ends at once.</summary>
    /// <returns>Bytes that came before, decoded.</returns>
    /// <exception cref="PeerSurpriseException">It was silent for <paramref name="patience"/> instead.</exception>
    public async Task<int> UntilEndAsync(TimeSpan? patience = null)
    {
        PeerEnd end;
        do
            end = await FillAsync(patience);
        while (end == PeerEnd.None);
        return end == PeerEnd.Timeout ? throw new PeerSurpriseException("silence instead of the end") : _incoming.Take().Length;
    }

    /// <summary>With TLS: hello, flight and, if that is the habit, the lone ChangeCipherSpec. Without: nothing.</summary>
    public async Task GreetAsync()
    {
        if (!IsTls)
            return;
        await SendHelloAsync();
        await ExpectFlightAsync();
    }

    /// <summary>The hello, cut into records and writes as the profile says.</summary>
    public Task SendHelloAsync() =>
        Wire.SendAsync(HelloBytes.Fragment(Hello, _profile.HelloFragments), _profile.HelloPiece ?? _profile.Piece, _profile.IsSettled);

    /// <summary>
    /// The flight, checked as clients check it: right digest, and nothing behind it unless the client has spoken already.
    /// </summary>
    public async Task ExpectFlightAsync()
    {
        using var key = new HmacKey(_profile.Secret!);
        while (true)
        {
            var (count, end) = await Wire.ReadSomeAsync(_raw.Space(ReadSize));
            if (end != PeerEnd.None)
                throw new PeerSurpriseException($"expected a server flight, got {new Received(_raw.Take(), end)}");
            _raw.Commit(count);
            var status = ServerFlightVerifier.Verify(_raw.Content, Hello.AsSpan(11, 32), key, out var length, out var fault);
            if (status == FrameStatus.Invalid || (status == FrameStatus.Ok && length != _raw.Length && !_sentHeader))
                throw new PeerSurpriseException(
                    $"not exactly a flight ({fault}, length {length}): {new Received(_raw.Take(), PeerEnd.None)}");
            if (status != FrameStatus.Ok)
                continue;
            Flight = _raw.Content[..length].ToArray();
            _raw.Consume(length);
            Decode();
            break;
        }
        if (_profile.SendsChangeCipherSpecAlone)
            await WriteAsync(TakeChangeCipherSpec());
    }

    /// <summary>Hello, header and one packet in a single write, before any answer.</summary>
    public async Task SendEverythingAtOnceAsync(byte[] payload)
    {
        var hello = HelloBytes.Fragment(Hello, _profile.HelloFragments);
        await WriteAsync([.. hello, .. Encode(payload, quickAck: false)]);
    }

    /// <summary>One packet; before the first goes the header, with its ChangeCipherSpec under TLS.</summary>
    public async Task SendAsync(byte[] payload, bool quickAck = false)
    {
        if (!_sentHeader && _profile.SendsHeaderAlone)
            await SendHeaderAsync();
        await WriteAsync(Encode(payload, quickAck));
    }

    /// <summary>The header and nothing behind it.</summary>
    public Task SendHeaderAsync() => WriteAsync(Encode(null, quickAck: false));

    /// <summary>
    /// What the client's cipher makes of <paramref name="plain"/>, its header before the first of it;
    /// no packets, no records. Whoever asks has to send it, or the streams of both sides part.
    /// </summary>
    public byte[] Encipher(ReadOnlySpan<byte> plain)
    {
        var bytes = plain.ToArray();
        _streams.ClientToServer.Transform(bytes);
        byte[] stream = _sentHeader ? bytes : [.. _header, .. bytes];
        _sentHeader = true;
        return stream;
    }

    /// <summary>The next packet, padding included.</summary>
    public async Task<byte[]> ReceiveAsync()
    {
        while (true)
        {
            if (PacketFraming.TryReadQuickAck(_incoming.Content, _profile.Transport, out var confirm))
                throw new PeerSurpriseException($"expected a packet, got the quick acknowledgement {Convert.ToHexStringLower(confirm)}");
            if (PacketFraming.TryRead(_incoming.Content, _profile.Transport, out var packet, out var consumed))
            {
                var copy = packet.ToArray();
                _incoming.Consume(consumed);
                return copy;
            }
            var end = await FillAsync(null);
            if (end != PeerEnd.None)
                throw new PeerSurpriseException($"expected a packet, got {new Received(_incoming.Take(), end)}");
        }
    }

    /// <summary>The confirm value of the quick acknowledgement that comes next, as RPC_SIMPLE_ACK has it: 4 bytes.</summary>
    public async Task<byte[]> ReceiveQuickAckAsync()
    {
        while (true)
        {
            if (PacketFraming.TryReadQuickAck(_incoming.Content, _profile.Transport, out var confirm))
            {
                _incoming.Consume(confirm.Length);
                return confirm;
            }
            var end = _incoming.Length < QuickAckLength ? await FillAsync(null) : PeerEnd.None;
            if (end != PeerEnd.None
                || (_incoming.Length >= QuickAckLength && !PacketFraming.TryReadQuickAck(_incoming.Content, _profile.Transport, out _)))
                throw new PeerSurpriseException($"expected a quick acknowledgement, got {new Received(_incoming.Take(), end)}");
        }
    }

    /// <summary>Everything the server still sends, decoded, until it ends or is silent for <paramref name="patience"/>.</summary>
    public async Task<Received> ReadToEndAsync(TimeSpan? patience = null)
    {
        PeerEnd end;
        do
            end = await FillAsync(patience);
        while (end == PeerEnd.None);
        return _raw.Length == 0
            ? new Received(_incoming.Take(), end)
            : throw new PeerSurpriseException($"{end} inside a record, {_raw.Length} bytes of it were here");
    }

    /// <summary>req_pq_multi and the right resPQ: what a client's own ping does.</summary>
    public async Task PingAsync()
    {
        var nonce = RandomNumberGenerator.GetBytes(MtprotoMessages.NonceLength);
        await SendAsync(MtprotoMessages.CreateReqPq(nonce));
        var answer = await ReceiveAsync();
        if (!MtprotoMessages.IsResPq(answer, nonce))
            throw new PeerSurpriseException($"expected resPQ, got {new Received(answer, PeerEnd.None)}");
    }

    /// <summary>Random bytes there and back again.</summary>
    public async Task EchoAsync(int size)
    {
        var body = RandomNumberGenerator.GetBytes(size);
        await SendAsync(TestFrame.Create(TestCommand.Echo, body));
        await ExpectEchoAsync(body);
    }

    /// <summary>The answer to an Echo frame sent before.</summary>
    public async Task ExpectEchoAsync(byte[] body)
    {
        var answer = await ReceiveAsync();
        if (!TestFrame.TryParse(answer, out var command, out var came) || command != TestCommand.Echo || !came.SequenceEqual(body))
            throw new PeerSurpriseException(
                $"expected an echo of {new Received(body, PeerEnd.None)}, got {new Received(answer, PeerEnd.None)}");
    }

    /// <summary>Asks for pattern frames; <see cref="ExpectSourceAsync"/> receives them.</summary>
    public Task AskForAsync(uint frames, int size)
    {
        var body = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(body, frames);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4), size);
        return SendAsync(TestFrame.Create(TestCommand.Source, body));
    }

    /// <summary>Receives pattern frames and checks every byte of them.</summary>
    public async Task ExpectSourceAsync(uint frames, int size)
    {
        for (uint sequence = 0; sequence < frames; sequence++)
        {
            var answer = await ReceiveAsync();
            if (!TestFrame.TryParse(answer, out var command, out var body) || command != TestCommand.Source || body.Length != size
                || !TestFrame.IsPattern(body, sequence))
                throw new PeerSurpriseException($"frame {sequence} is not what the data centre sent: {new Received(answer, PeerEnd.None)}");
        }
    }

    /// <summary>Pattern frames from the data centre, every byte checked.</summary>
    public async Task DownloadAsync(uint frames, int size)
    {
        await AskForAsync(frames, size);
        await ExpectSourceAsync(frames, size);
    }

    /// <summary>Pattern frames to the data centre, which checks them and reports.</summary>
    public async Task UploadAsync(uint frames, int size)
    {
        var batch = new ByteSink();
        var frame = new byte[TestFrame.HeaderLength + size];
        for (uint sequence = 0; sequence < frames; sequence++)
        {
            TestFrame.WritePattern(frame, TestCommand.Sink, sequence, size);
            batch.Append(Encode(frame, quickAck: false));
            if (batch.Length >= BatchSize)
                await WriteAsync(batch.Take());
        }
        await WriteAsync(batch.Take());
        await ExpectReportAsync(frames, (ulong)size * frames);
    }

    /// <summary>Asks the data centre what it received in Sink frames on this connection.</summary>
    public async Task ExpectReportAsync(ulong frames, ulong bytes)
    {
        await SendAsync(TestFrame.Create(TestCommand.Report, []));
        var answer = await ReceiveAsync();
        if (!TestFrame.TryParse(answer, out var command, out var body) || command != TestCommand.Report)
            throw new PeerSurpriseException($"expected a report, got {new Received(answer, PeerEnd.None)}");
        var (gotFrames, gotBytes) = (BinaryPrimitives.ReadUInt64LittleEndian(body), BinaryPrimitives.ReadUInt64LittleEndian(body[8..]));
        if (gotFrames != frames || gotBytes != bytes)
            throw new PeerSurpriseException(
                $"the data centre received {gotFrames} right frames, {gotBytes} bytes; sent were {frames}, {bytes}");
    }

    /// <summary>Tells the data centre something that it does not answer with a packet.</summary>
    public Task CommandAsync(TestCommand command) => SendAsync(TestFrame.Create(command, []));

    public ValueTask DisposeAsync() => Wire.DisposeAsync();

    private Task WriteAsync(byte[] bytes) => Wire.SendAsync(bytes, _profile.Piece, _profile.IsSettled);

    /// <summary>What goes on the wire for a packet (none: for the header alone).</summary>
    private byte[] Encode(byte[]? payload, bool quickAck)
    {
        _outgoing.Clear();
        if (payload is not null)
        {
            var padding = _profile.Transport == Transport.Padded ? RandomNumberGenerator.GetInt32(_profile.MaxPadding + 1) : 0;
            PacketFraming.Append(_outgoing, _profile.Transport, payload, padding, quickAck);
            _streams.ClientToServer.Transform(_outgoing.Content);
        }
        var stream = _outgoing.Take();
        if (!_sentHeader)
            stream = [.. _header, .. stream];
        _sentHeader = true;
        if (!IsTls)
            return stream;
        // a header alone is one record, whatever the habit for packets
        var record = payload is null ? stream.Length : _profile.RecordPayload;
        return [.. TakeChangeCipherSpec(), .. Wrap(stream, record)];
    }

    private byte[] TakeChangeCipherSpec()
    {
        if (_sentChangeCipherSpec || !_profile.SendsChangeCipherSpec)
            return [];
        _sentChangeCipherSpec = true;
        return TlsRecordWriter.ChangeCipherSpec.ToArray();
    }

    /// <summary>Records that may be longer than any the product would write.</summary>
    private byte[] Wrap(ReadOnlySpan<byte> stream, int recordPayload)
    {
        while (!stream.IsEmpty)
        {
            var length = Math.Min(stream.Length, recordPayload);
            _outgoing.Append([0x17, 3, 3, (byte)(length >> 8), (byte)length]);
            _outgoing.Append(stream[..length]);
            stream = stream[length..];
        }
        return _outgoing.Take();
    }

    private async Task<PeerEnd> FillAsync(TimeSpan? patience)
    {
        var into = IsTls ? _raw : _incoming;
        var (count, end) = await Wire.ReadSomeAsync(into.Space(ReadSize), patience);
        if (end != PeerEnd.None)
            return end;
        into.Commit(count);
        if (IsTls)
            Decode();
        else
            _streams.ServerToClient.Transform(_incoming.Content[^count..]);
        return PeerEnd.None;
    }

    private void Decode()
    {
        var fresh = _records.Unwrap(_raw, _incoming);
        _streams.ServerToClient.Transform(_incoming.Content[^fresh..]);
    }
}
