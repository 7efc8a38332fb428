using Portico.TestKit.Memory;

namespace Portico.Core.Tests.Staging;

/// <summary>A data centre behind one connection of the proxy: takes the header, then plain bytes both ways.</summary>
internal sealed class StageDc(MemoryPeer peer)
{
    private readonly List<byte> _raw = [];
    private readonly MemoryStream _text = new();
    private ObfuscatedEnd? _end;
    private uint _tag;
    private short _dc;

    public MemoryPeer Peer => peer;

    /// <summary>The header is complete.</summary>
    public bool IsGreeted
    {
        get
        {
            Receive();
            return _end is not null;
        }
    }

    public uint Tag => IsGreeted ? _tag : throw new InvalidOperationException("no header yet");

    public short DcId => IsGreeted ? _dc : throw new InvalidOperationException("no header yet");

    /// <summary>Everything the client said so far, decrypted.</summary>
    public byte[] Text
    {
        get
        {
            Receive();
            return _text.ToArray();
        }
    }

    /// <summary>Speaks to the client; the header must have come.</summary>
    public void Say(ReadOnlySpan<byte> plain)
    {
        if (!IsGreeted) throw new InvalidOperationException("no header yet");
        peer.Send(_end!.Encrypt(plain));
    }

    private void Receive()
    {
        var bytes = peer.Take();
        if (_end is null)
        {
            _raw.AddRange(bytes);
            if (_raw.Count < ObfuscatedEnd.HeaderLength) return;
            bytes = [.. _raw];
            _end = ObfuscatedEnd.Accept(bytes.AsSpan(0, ObfuscatedEnd.HeaderLength), null, out _tag, out _dc);
            bytes = bytes[ObfuscatedEnd.HeaderLength..];
        }

        _end.Decrypt(bytes);
        _text.Write(bytes);
    }
}
