using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Portico.Protocol;
using Portico.Protocol.Obfuscation;
using Portico.TestKit.Framing;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram;

/// <summary>One connection of a proxy (or a test) to the fake data centre, with what it asked for and did.</summary>
public sealed class DcConnection : IAsyncDisposable
{
    private const int ReadSize = 256 * 1024;

    // Answers are collected to about this much before they are written, as a busy server does.
    private const int WriteSize = 128 * 1024;

    private readonly Wire _wire;
    private readonly DcBehaviour _behaviour;
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<PeerEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ByteSink _plain = new();
    private readonly ByteSink _answers = new();
    private readonly List<byte> _tape = [];
    private ObfuscatedStreams _streams;
    private long _received;
    private long _sent;
    private ulong _sinkFrames;
    private ulong _sinkBytes;

    internal DcConnection(Wire wire, DcBehaviour behaviour)
    {
        _wire = wire;
        _behaviour = behaviour;
    }

    /// <summary>Where the proxy's end of it is.</summary>
    public IPEndPoint Caller => _wire.Remote;

    /// <summary>The 64 bytes that came first, as they came; empty before.</summary>
    public byte[] Header { get; private set; } = [];

    /// <summary>The data centre that the header asks for.</summary>
    public short DcId { get; private set; }

    /// <summary>The framing that the header announces.</summary>
    public Transport Transport { get; private set; }

    /// <summary>Bytes read so far.</summary>
    public long BytesReceived => Interlocked.Read(ref _received);

    /// <summary>Bytes written so far.</summary>
    public long BytesSent => Interlocked.Read(ref _sent);

    /// <summary>What came behind the header so far, decrypted, where the behaviour is <see cref="DcBehaviour.IsTape"/>.</summary>
    public byte[] Tape
    {
        get
        {
            lock (_tape)
                return [.. _tape];
        }
    }

    /// <summary>How the caller ended; waits until it has. Timeout means that it neither sent nor ended while this side waited.</summary>
    public Task<PeerEnd> Ended => _ended.Task.WaitAsync(Wire.Patience);

    /// <summary>Completes when the header has come; faults when it makes no sense.</summary>
    public Task Greeted => _greeted.Task.WaitAsync(Wire.Patience);

    /// <summary>RST, whatever is under way.</summary>
    public void Reset() => _wire.Reset();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _wire.DisposeAsync();

    internal void Start() => _ = RunAsync();

    private async Task RunAsync()
    {
        try
        {
            _ended.TrySetResult(_behaviour.NeverReads ? PeerEnd.None : await ServeAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // a write met a peer that is gone, or the test is over
            _ended.TrySetResult(PeerEnd.Reset);
        }
        catch (PeerSurpriseException e)
        {
            _greeted.TrySetException(e);
            _ended.TrySetException(e);
            _wire.Reset();
        }
    }

    private async Task<PeerEnd> ServeAsync()
    {
        if (_behaviour.ResetsAtOnce)
        {
            _wire.Reset();
            return PeerEnd.None;
        }
        while (true)
        {
            var (count, end) = await _wire.ReadSomeAsync(_plain.Space(ReadSize), Timeout.InfiniteTimeSpan);
            if (end != PeerEnd.None)
            {
                if (end == PeerEnd.Fin)
                    _wire.FinishSending();
                return end;
            }
            _plain.Commit(count);
            var total = Interlocked.Add(ref _received, count);
            if (total >= _behaviour.ResetsAfter)
            {
                _wire.Reset();
                return PeerEnd.None;
            }
            if (total >= _behaviour.FinishesAfter)
            {
                _wire.FinishSending();
                return (await _wire.ReadToEndAsync()).End;
            }
            if (Header.Length > 0)
                _streams.ClientToServer.Transform(_plain.Content[^count..]);
            else if (_plain.Length >= ObfuscatedHeader.Length)
                ReadHeader();
            if (Header.Length > 0 && _behaviour.IsTape)
            {
                lock (_tape)
                    _tape.AddRange(_plain.Take());
            }
            else if (Header.Length > 0 && await AnswerAsync() is { } own)
                return own;
        }
    }

    private void ReadHeader()
    {
        Header = _plain.Content[..ObfuscatedHeader.Length].ToArray();
        if (!ObfuscatedHeader.TryRead(Header, null, out _streams, out var transport, out var dcId))
            throw new PeerSurpriseException($"a data centre cannot read this header: {Convert.ToHexStringLower(Header)}");
        if (ObfuscatedHeader.HasForbiddenStart(Header))
            throw new PeerSurpriseException($"a data centre takes this header for something else: {Convert.ToHexStringLower(Header)}");
        (Transport, DcId) = (transport, dcId);
        _plain.Consume(ObfuscatedHeader.Length);
        _streams.ClientToServer.Transform(_plain.Content);
        _greeted.TrySetResult();
    }

    // Returns how the connection ended if a command ended it.
    private async Task<PeerEnd?> AnswerAsync()
    {
        while (PacketFraming.TryRead(_plain.Content, Transport, out var packet, out var consumed))
        {
            var command = Answer(packet, out var frames, out var size);
            _plain.Consume(consumed);
            if (_behaviour.IsSilent)
                _answers.Clear();
            switch (command)
            {
                case TestCommand.Source:
                    await SendSourceAsync(frames, size);
                    break;
                case TestCommand.Finish:
                    await FlushAsync();
                    _wire.FinishSending();
                    return (await _wire.ReadToEndAsync()).End;
                case TestCommand.Reset:
                    _wire.Reset();
                    return PeerEnd.None;
            }
            if (_answers.Length >= WriteSize)
                await FlushAsync();
        }
        await FlushAsync();
        return null;
    }

    private TestCommand? Answer(ReadOnlySpan<byte> packet, out uint frames, out int size)
    {
        frames = 0;
        size = 0;
        if (!TestFrame.TryParse(packet, out var command, out var body))
        {
            Send(MtprotoMessages.AnswerTo(packet));
            return null;
        }
        switch (command)
        {
            case TestCommand.Echo:
                Send(packet[..(packet.Length & ~3)]);
                break;
            case TestCommand.Source:
                frames = BinaryPrimitives.ReadUInt32LittleEndian(body);
                size = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
                break;
            case TestCommand.Sink when TestFrame.IsPattern(body, (uint)_sinkFrames):
                _sinkFrames++;
                _sinkBytes += (ulong)body.Length;
                break;
            case TestCommand.Report:
                Span<byte> report = stackalloc byte[16];
                BinaryPrimitives.WriteUInt64LittleEndian(report, _sinkFrames);
                BinaryPrimitives.WriteUInt64LittleEndian(report[8..], _sinkBytes);
                Send(TestFrame.Create(TestCommand.Report, report));
                break;
        }
        return command;
    }

    private async Task SendSourceAsync(uint frames, int size)
    {
        var frame = new byte[TestFrame.HeaderLength + size];
        for (uint sequence = 0; sequence < frames; sequence++)
        {
            TestFrame.WritePattern(frame, TestCommand.Source, sequence, size);
            Send(frame);
            if (_answers.Length >= WriteSize)
                await FlushAsync();
        }
    }

    private void Send(ReadOnlySpan<byte> packet) => PacketFraming.Append(_answers, Transport, packet);

    private async Task FlushAsync()
    {
        if (_answers.Length == 0)
            return;
        _streams.ServerToClient.Transform(_answers.Content);
        await _wire.SendAsync(_answers.Memory);
        Interlocked.Add(ref _sent, _answers.Length);
        _answers.Clear();
    }
}
