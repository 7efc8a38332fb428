using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// What came on one link: whole blocks are decrypted where they were read, and frames are cut out of them.
/// Bytes in, payloads out; the link that owns it does the reading. Holds no memory while there is nothing to hold.
/// </summary>
internal sealed class LinkReader(BufferPool buffers, bool checkCrc)
{
    /// <summary>A read has room for at least this much, so that small frames come many at a time.</summary>
    public const int LeastRoom = 64 * 1024;

    // Nobody sends more before the link is ready.
    private const int LongestSetUpFrame = 1024, SetUpFrames = 2;

    private const int WordLength = 4;

    private ByteStore _bytes;
    private MiddleProxyCipher _cipher;
    private bool _isEncrypted;
    private int _plain;
    private int _wanted;
    private int _frame;
    private int _next = FullFrame.FirstSequence;

    /// <summary>Nothing is held.</summary>
    public bool IsEmpty => _bytes.IsEmpty;

    /// <summary>Something is decrypted that was not looked at, or not taken.</summary>
    public bool HasPlain => _plain > 0;

    /// <summary>What is decrypted of the frame at the front.</summary>
    public ReadOnlySpan<byte> Front => _bytes.Bytes[.._plain];

    /// <summary>Everything from now on is encrypted; behind the frame at hand comes padding in plain, perhaps cut inside a word.</summary>
    public void UseKeys(MiddleProxyCipher cipher)
    {
        _cipher = cipher;
        _isEncrypted = true;
    }

    /// <summary>Where the next bytes go. Grows with what came: a length that was only announced rents nothing.</summary>
    public Span<byte> Room()
    {
        var missing = Math.Max(0, _wanted + MiddleProxyCipher.BlockLength - _bytes.Length);
        return _bytes.Room(buffers, Math.Max(LeastRoom, Math.Min(missing, _bytes.Length)));
    }

    /// <summary>So many came.</summary>
    public void Add(int count) => _bytes.Add(count);

    /// <summary>The next frame, which is to be taken with <see cref="Take"/> before the one behind it.</summary>
    public FrameStatus TryRead(out ReadOnlySpan<byte> payload, out MiddleProxyError error)
    {
        payload = default;
        error = MiddleProxyError.None;
        Decrypt();
        if (_plain == 0) return FrameStatus.NeedMoreData;
        var longest = _next < FullFrame.FirstSequence + SetUpFrames ? LongestSetUpFrame : FullFrame.MaxLength;
        var status = FullFrame.TryRead(_bytes.Bytes[.._plain], _next, checkCrc, out var frame, out error, longest);
        if (status == FrameStatus.NeedMoreData)
        {
            Consume(frame.Consumed);
            _wanted = frame.Length;
        }
        else if (status == FrameStatus.Ok)
        {
            _next++;
            _frame = frame.Consumed;
            payload = _bytes.Bytes.Slice(frame.PayloadOffset, frame.PayloadLength);
        }

        return status;
    }

    /// <summary>The frame that was read is done with, and its payload is valid no longer.</summary>
    public void Take()
    {
        Consume(_frame);
        if (_next == FullFrame.FirstSequence + 1) _plain = 0;
        _wanted = _frame = 0;
    }

    /// <summary>Gives the memory back, whatever it holds.</summary>
    public void Drop()
    {
        _bytes.Drop(buffers);
        _plain = 0;
    }

    private void Decrypt()
    {
        if (!_isEncrypted)
        {
            _plain = _bytes.Length;
            return;
        }

        if (_next == FullFrame.FirstSequence + 1 && _plain == 0) DropPlainPadding();
        var whole = (_bytes.Length - _plain) & ~(MiddleProxyCipher.BlockLength - 1);
        _cipher.Decrypt(_bytes.Bytes.Slice(_plain, whole));
        _plain += whole;
    }

    // The server may pad its plain nonce to whole blocks, and the padding may come in a segment of its own, before the first ciphertext.
    // That ciphertext begins with the same word once in four billion links.
    private void DropPlainPadding()
    {
        while (_bytes.Length >= WordLength && _bytes.Bytes.StartsWith(PaddingWord)) _bytes.Take(buffers, WordLength);
    }

    private void Consume(int count)
    {
        _plain -= count;
        _bytes.Take(buffers, count);
    }

    private static ReadOnlySpan<byte> PaddingWord => [4, 0, 0, 0];
}
