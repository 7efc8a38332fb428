using System.Buffers.Binary;
using Portico.Core.Diagnostics;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using Portico.TestKit.Framing;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>
/// Takes frames out of what a proxy sends: first in the clear, then encrypted.
/// Stricter than the format: padding must fill the block and do nothing else, as all proxies have it.
/// </summary>
internal sealed class MiddleFrameReader(Action<string> violation)
{
    private const int MaxPadding = MiddleProxyCipher.BlockLength - sizeof(uint);
    private const uint PaddingWord = 4;

    private readonly ByteSink _encrypted = new();
    private readonly ByteSink _plain = new();
    private MiddleProxyCipher _cipher;
    private bool _isEncrypted;
    private bool _mayStartWithPadding;
    private int _sequence = FullFrame.FirstSequence;

    // How much of the plain stream was taken, and how much of that was padding behind the last frame.
    private long _position;
    private int _padding;

    /// <summary>Whether bytes are here that are no whole frame.</summary>
    internal bool IsInsideFrame => _encrypted.Length + _plain.Length > 0;

    /// <summary>Room for the next bytes; <see cref="Commit"/> takes them.</summary>
    internal Memory<byte> Space(int count) => (_isEncrypted ? _encrypted : _plain).Space(count);

    internal void Commit(int count)
    {
        if (!_isEncrypted)
        {
            _plain.Commit(count);
            return;
        }
        _encrypted.Commit(count);
        Decrypt();
    }

    /// <summary>Everything from here on is encrypted. Only padding of the first frame may be here or still come.</summary>
    internal void TurnEncryptionOn(MiddleProxyCipher cipher)
    {
        _cipher = cipher;
        _isEncrypted = true;
        _mayStartWithPadding = true;
        _position = 0;
        _encrypted.Append(_plain.Take());
        if (_encrypted.Length > sizeof(uint)
            || (_encrypted.Length == sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian(_encrypted.Content) != PaddingWord))
            violation($"{_encrypted.Length} bytes behind RPC_NONCE before its answer");
        Decrypt();
    }

    /// <summary>The next frame's payload.</summary>
    /// <returns>False if more bytes are needed, or if the bytes are wrong: then the link is of no more use.</returns>
    internal bool TryTake(out byte[] payload, out bool isBroken)
    {
        payload = [];
        var status = FullFrame.TryRead(_plain.Content, _sequence, checkCrc: true, out var frame, out var error);
        isBroken = status == FrameStatus.Invalid;
        if (isBroken)
        {
            violation($"frame {_sequence}: {error.Tag()}");
            return false;
        }
        var padding = status == FrameStatus.Ok ? frame.Consumed - frame.Length : frame.Consumed;
        _padding += padding;
        _position += padding;
        if (_padding > MaxPadding)
            violation($"{_padding} bytes of padding before frame {_sequence}");
        if (status == FrameStatus.Ok)
        {
            if (_padding > 0 && _position % MiddleProxyCipher.BlockLength != 0)
                violation($"padding before frame {_sequence} that fills no block");
            payload = _plain.Content.Slice(frame.PayloadOffset, frame.PayloadLength).ToArray();
            _position += frame.Length;
            _padding = 0;
            _sequence++;
        }
        _plain.Consume(frame.Consumed);
        return status == FrameStatus.Ok;
    }

    private void Decrypt()
    {
        if (_mayStartWithPadding)
        {
            if (_encrypted.Length < sizeof(uint))
                return;
            if (BinaryPrimitives.ReadUInt32LittleEndian(_encrypted.Content) == PaddingWord)
                _encrypted.Consume(sizeof(uint));
            _mayStartWithPadding = false;
        }
        var blocks = _encrypted.Content[..(_encrypted.Length & -MiddleProxyCipher.BlockLength)];
        _cipher.Decrypt(blocks);
        _plain.Append(blocks);
        _encrypted.Consume(blocks.Length);
    }
}
