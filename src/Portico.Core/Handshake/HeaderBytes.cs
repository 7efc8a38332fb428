using Portico.Protocol.Obfuscation;

namespace Portico.Core.Handshake;

/// <summary>The obfuscated header while its 64 bytes come in.</summary>
internal sealed class HeaderBytes
{
    private readonly byte[] _bytes = new byte[ObfuscatedHeader.Length];

    /// <summary>How many are here.</summary>
    public int Length { get; private set; }

    public bool IsComplete => Length == ObfuscatedHeader.Length;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>Takes what is missing from the front of <paramref name="bytes"/>; returns the rest.</summary>
    public Span<byte> Take(Span<byte> bytes)
    {
        var taken = Math.Min(bytes.Length, ObfuscatedHeader.Length - Length);
        bytes[..taken].CopyTo(_bytes.AsSpan(Length));
        Length += taken;
        return bytes[taken..];
    }

    /// <summary>Forgets them: they are key material.</summary>
    public void Clear()
    {
        _bytes.AsSpan().Clear();
        Length = 0;
    }
}
