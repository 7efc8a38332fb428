using Portico.Core.Net;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// What goes out on one link: frames are appended as plain text, then padded to whole blocks and encrypted
/// where they lie. Payloads in, bytes out; the link that owns it does the writing, and bounds it.
/// </summary>
internal sealed class LinkWriter(BufferPool buffers)
{
    private ByteStore _bytes;
    private MiddleProxyCipher _cipher;
    private bool _isEncrypted;
    private int _ready;
    private int _next = FullFrame.FirstSequence;

    /// <summary>Nothing waits.</summary>
    public bool IsEmpty => _bytes.IsEmpty;

    /// <summary>Bytes that wait, ready or not.</summary>
    public int Length => _bytes.Length;

    /// <summary>Bytes that wait for the cipher.</summary>
    public int PlainLength => _bytes.Length - _ready;

    /// <summary>What can be written. Everything, once <see cref="Encrypt"/> was called.</summary>
    public ReadOnlySpan<byte> Ready => _bytes.Bytes[.._ready];

    /// <summary>Frames from now on are encrypted.</summary>
    public void UseKeys(MiddleProxyCipher cipher)
    {
        _cipher = cipher;
        _isEncrypted = true;
    }

    /// <summary>Room for a frame at the end; returns where its payload goes.</summary>
    public Span<byte> BeginFrame(int payload)
    {
        // Padding for a whole block may follow.
        var room = _bytes.Room(buffers, FullFrame.HeaderLength + payload + FullFrame.TrailerLength + MiddleProxyCipher.BlockLength);
        return room.Slice(FullFrame.HeaderLength, payload);
    }

    /// <summary>The payload is there.</summary>
    public void EndFrame(int payload)
    {
        var length = FullFrame.HeaderLength + payload + FullFrame.TrailerLength;
        FullFrame.Seal(_bytes.Room(buffers, length)[..length], _next++);
        _bytes.Add(length);
    }

    /// <summary>Fills the last block of what was appended since the last time.</summary>
    public void Pad()
    {
        var padding = FullFrame.PaddingLength(PlainLength);
        if (padding == 0) return;
        FullFrame.WritePadding(_bytes.Room(buffers, padding)[..padding]);
        _bytes.Add(padding);
    }

    /// <summary>
    /// Encrypts what up to four writers have padded, in lock step (spec/03
    /// section 2.2); those that have no keys yet stay as they are.
    /// </summary>
    public static void Encrypt(LinkWriter first, LinkWriter? second, LinkWriter? third, LinkWriter? fourth)
    {
        if (second is null)
        {
            first._cipher.Encrypt(first.TakePlain());
            return;
        }

        MiddleProxyCipher none = default, alsoNone = default;
        ref var thirdCipher = ref third is null ? ref none : ref third._cipher;
        ref var fourthCipher = ref fourth is null ? ref alsoNone : ref fourth._cipher;
        MiddleProxyCipher.EncryptInLockStep(
            ref first._cipher, first.TakePlain(), ref second._cipher, second.TakePlain(),
            ref thirdCipher, third is null ? default : third.TakePlain(), ref fourthCipher, fourth is null ? default : fourth.TakePlain());
    }

    /// <summary>So many of the ready bytes were written.</summary>
    public void Take(int count)
    {
        _ready -= count;
        _bytes.Take(buffers, count);
    }

    /// <summary>Gives the memory back, whatever it holds.</summary>
    public void Drop()
    {
        _bytes.Drop(buffers);
        _ready = 0;
    }

    private Span<byte> TakePlain()
    {
        var plain = _isEncrypted ? _bytes.Bytes[_ready..] : default;
        _ready = _bytes.Length;
        return plain;
    }
}
