using System.Net.Sockets;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.SelfTest;

/// <summary>The server's end of a link: frames in, frames out (spec/03 section 3).</summary>
internal sealed class FrameConnection(Socket socket)
{
    private const int ReadLength = 64 * 1024;

    private byte[] _received = new byte[2 * ReadLength];
    private int _length;
    private int _plain;
    private int _nextIncoming = FullFrame.FirstSequence;
    private int _nextOutgoing = FullFrame.FirstSequence;
    private MiddleProxyCipher _incoming;
    private MiddleProxyCipher _outgoing;
    private bool _isEncrypted;

    /// <summary>Everything behind the two nonces is encrypted.</summary>
    public void Encrypt(MiddleProxyCipher incoming, MiddleProxyCipher outgoing) =>
        (_incoming, _outgoing, _isEncrypted) = (incoming, outgoing, true);

    /// <summary>Receives one payload.</summary>
    /// <returns>Null if the proxy has ended the link.</returns>
    /// <exception cref="CheckFailedException">What arrives is no frame.</exception>
    public async Task<byte[]?> ReceiveAsync(CancellationToken cancel)
    {
        while (true)
        {
            if (TakeFrame() is { } payload) return payload;
            if (_received.Length - _length < ReadLength)
                Array.Resize(ref _received, 2 * _received.Length);
            var count = await socket.ReceiveAsync(_received.AsMemory(_length), cancel);
            if (count == 0) return null;
            _length += count;
        }
    }

    /// <summary>Sends one payload, padded to whole blocks once the link is encrypted.</summary>
    /// <param name="payload">A multiple of four bytes.</param>
    /// <param name="isDamaged">With a wrong checksum.</param>
    /// <param name="cancel">The run is over.</param>
    public async Task SendAsync(byte[] payload, bool isDamaged, CancellationToken cancel)
    {
        var length = FullFrame.HeaderLength + payload.Length + FullFrame.TrailerLength;
        var wire = new byte[length + (_isEncrypted ? FullFrame.PaddingLength(length) : 0)];
        FullFrame.Write(wire, _nextOutgoing++, payload);
        if (isDamaged) wire[length - 1] ^= 1;
        FullFrame.WritePadding(wire.AsSpan(length));
        if (_isEncrypted) _outgoing.Encrypt(wire);
        await socket.SendWholeAsync(wire, cancel);
    }

    private byte[]? TakeFrame()
    {
        if (!Decrypt()) return null;
        var status = FullFrame.TryRead(_received.AsSpan(0, _plain), _nextIncoming, checkCrc: true, out var frame, out var error);
        if (status == FrameStatus.Invalid)
            throw new CheckFailedException($"frame {_nextIncoming}: {error}");
        var payload = status == FrameStatus.Ok ? _received.AsSpan(frame.PayloadOffset, frame.PayloadLength).ToArray() : null;
        if (payload is not null) _nextIncoming++;
        _received.AsSpan(frame.Consumed, _length - frame.Consumed).CopyTo(_received);
        _length -= frame.Consumed;
        _plain -= frame.Consumed;
        return payload;
    }

    // False while there is nothing to look at. The proxy fills up its nonce, sent in the clear,
    // to whole blocks too, so that ciphertext never begins among plain bytes that were not counted yet.
    private bool Decrypt()
    {
        var whole = (_length - _plain) & ~(MiddleProxyCipher.BlockLength - 1);
        if (_isEncrypted) _incoming.Decrypt(_received.AsSpan(_plain, whole));
        _plain += whole;
        return _plain > 0;
    }
}
