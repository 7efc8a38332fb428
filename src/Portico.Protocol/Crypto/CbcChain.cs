using System.Runtime.InteropServices;

namespace Portico.Protocol.Crypto;

/// <summary>One chain of <see cref="AesCbc256.EncryptInLockStep"/>: whose key, where it stands, what is to be encrypted.</summary>
public readonly ref struct CbcChain
{
    private readonly ReadOnlySpan<byte> _key;
    private readonly Span<byte> _iv, _blocks;

    /// <summary>Names the parts of a chain.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="iv">16 bytes; afterwards the last block of ciphertext.</param>
    /// <param name="blocks">A multiple of 16 bytes, possibly none.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public CbcChain(ReadOnlySpan<byte> key, Span<byte> iv, Span<byte> blocks)
    {
        AesCbc256.CheckLengths(key, iv, blocks);
        _key = key;
        _iv = iv;
        _blocks = blocks;
    }

    internal nuint Length => (nuint)_blocks.Length;

    internal ref byte Key => ref MemoryMarshal.GetReference(_key);

    internal ref byte Iv => ref MemoryMarshal.GetReference(_iv);

    internal ref byte Blocks => ref MemoryMarshal.GetReference(_blocks);

    internal void Encrypt() => AesCbc256.Encrypt(_key, _iv, _blocks);

    internal void EncryptPortable() => AesCbc256.EncryptPortable(_key, _iv, _blocks);
}
