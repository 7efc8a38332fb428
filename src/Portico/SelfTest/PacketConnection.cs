using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Framing;

namespace Portico.SelfTest;

/// <summary>Whose end of a connection it is: both frame the same way, but clients pad more, and only data centres acknowledge.</summary>
internal enum PacketEnd
{
    Client,
    Dc,
}

/// <summary>A connection after its header: packets in, packets out. Both ends use it; only clients put records around it.</summary>
internal sealed class PacketConnection : IDisposable
{
    private const int ReadLength = 64 * 1024;
    private const int MaxFrameHeader = 4;

    private readonly IByteWay _way;
    private readonly PacketEnd _end;
    private readonly Transport _transport;
    private readonly bool _isTls;
    private AesCtr _incoming;
    private AesCtr _outgoing;
    private TlsRecordReader _records;
    private byte[] _received = new byte[2 * ReadLength];
    private int _receivedLength;
    private byte[] _unsentHeader = [];

    /// <summary>Takes the way over.</summary>
    /// <param name="way">Closed by <see cref="Dispose"/>.</param>
    /// <param name="end">Which end this is.</param>
    /// <param name="transport">The framing in both directions.</param>
    /// <param name="incoming">The cipher of what we read, at its first packet.</param>
    /// <param name="outgoing">The cipher of what we write, at its first packet.</param>
    /// <param name="isTls">Whether records are around everything.</param>
    public PacketConnection(IByteWay way, PacketEnd end, Transport transport, AesCtr incoming, AesCtr outgoing, bool isTls)
    {
        _way = way;
        _end = end;
        _transport = transport;
        _incoming = incoming;
        _outgoing = outgoing;
        _isTls = isTls;
    }

    /// <summary>A client's 64 bytes, to go out with the first packet in one write, as Telegram's clients do.</summary>
    public ReadOnlySpan<byte> Header
    {
        init => _unsentHeader = value.ToArray();
    }

    /// <summary>Send in small segments.</summary>
    public bool InPieces { get; init; }

    /// <summary>Sends one packet.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> payload, CancellationToken cancel)
    {
        var wire = Encode(payload.Span);
        if (InPieces) await Pieces.SendAsync(_way, wire, cancel);
        else await _way.SendAsync(wire, cancel);
    }

    /// <summary>Receives one packet.</summary>
    /// <returns>Its payload; null if the other side has finished sending, whether in order or in the middle of a packet.</returns>
    /// <exception cref="CheckFailedException">What arrives is no packet of this connection.</exception>
    public async Task<byte[]?> ReceiveAsync(CancellationToken cancel)
    {
        while (true)
        {
            if (TakePacket() is { } payload) return payload;
            if (_received.Length - _receivedLength < ReadLength)
                Array.Resize(ref _received, 2 * _received.Length);
            var count = await _way.ReceiveAsync(_received.AsMemory(_receivedLength), cancel);
            if (count == 0) return null;
            Decode(_received.AsSpan(_receivedLength, count));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _way.Dispose();

    private byte[] Encode(ReadOnlySpan<byte> payload)
    {
        var header = _unsentHeader.Length;
        var packet = new byte[header + MaxFrameHeader + payload.Length + FrameCodec.MaxPaddingFromClient];
        _unsentHeader.CopyTo(packet, 0);
        _unsentHeader = [];
        var padding = Padding();
        var frame = packet.AsSpan(header);
        var frameHeader = FrameCodec.WriteHeader(_transport, frame, payload.Length, padding, quickAck: false);
        frame = frame[..(frameHeader + payload.Length + padding)];
        payload.CopyTo(frame[frameHeader..]);
        RandomNumberGenerator.Fill(frame[(frameHeader + payload.Length)..]);
        _outgoing.Transform(frame);
        var bytes = packet.AsSpan(0, header + frame.Length);
        if (!_isTls) return bytes.ToArray();

        var start = header > 0 ? TlsRecordWriter.ChangeCipherSpec : [];
        var wire = new byte[start.Length + TlsRecordWriter.WireLength(bytes.Length)];
        start.CopyTo(wire);
        TlsRecordWriter.Wrap(bytes, wire.AsSpan(start.Length));
        return wire;
    }

    private int Padding()
    {
        var most = _end == PacketEnd.Client ? FrameCodec.MaxPaddingFromClient : PaddedIntermediateCodec.MaxPaddingToClient;
        return _transport == Transport.Padded ? RandomNumberGenerator.GetInt32(most + 1) : 0;
    }

    private void Decode(Span<byte> bytes)
    {
        var end = TlsRecordEnd.None;
        var payload = _isTls ? _records.Unwrap(bytes, out end) : bytes;
        if (end != TlsRecordEnd.None)
            throw new CheckFailedException($"the TLS records ended: {end}");
        _incoming.Transform(payload);
        payload.CopyTo(_received.AsSpan(_receivedLength));
        _receivedLength += payload.Length;
    }

    private byte[]? TakePacket()
    {
        var bytes = _received.AsSpan(0, _receivedLength);
        var status = _end == PacketEnd.Client
            ? FrameCodec.TryReadFromServer(_transport, bytes, out var frame, out _)
            : FrameCodec.TryRead(_transport, bytes, out frame, out _);
        if (status == FrameStatus.NeedMoreData) return null;
        if (status == FrameStatus.Invalid || frame.QuickAck)
            throw new CheckFailedException("what arrives decrypts to no packet");
        var payload = bytes.Slice(frame.PayloadOffset, frame.PayloadLength).ToArray();
        bytes[frame.Consumed..].CopyTo(bytes);
        _receivedLength -= frame.Consumed;
        return payload;
    }
}
