using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Portico.Protocol.Crypto;

/// <summary>One direction of an obfuscated stream: AES-256-CTR with a 128-bit big-endian counter (spec/01 section 2.2). A mutable value: never copy one that is in use.</summary>
public struct AesCtr
{
    private Bytes32 _key;
    private UInt128 _counter;
    private int _usedOfBlock;

    /// <summary>Starts the stream at position 0.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="iv">16 bytes, the first counter block.</param>
    public AesCtr(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv)
    {
        key[..32].CopyTo(_key);
        _counter = BinaryPrimitives.ReadUInt128BigEndian(iv);
    }

    /// <summary>XORs the next keystream bytes into <paramref name="bytes"/>.</summary>
    public void Transform(Span<byte> bytes)
    {
        using var aes = Aes.Create();
        aes.Key = ((ReadOnlySpan<byte>)_key).ToArray();
        Span<byte> block = stackalloc byte[16];
        for (var i = 0; i < bytes.Length; i++)
        {
            BinaryPrimitives.WriteUInt128BigEndian(block, _counter);
            aes.EncryptEcb(block, block, PaddingMode.None);
            bytes[i] ^= block[_usedOfBlock];
            if (++_usedOfBlock == 16)
            {
                _usedOfBlock = 0;
                _counter++;
            }
        }
    }

    /// <summary>XORs the next keystream bytes of both streams into <paramref name="bytes"/> in one pass: what a client sent becomes what the DC expects.</summary>
    public static void TransformBoth(ref AesCtr first, ref AesCtr second, Span<byte> bytes)
    {
        first.Transform(bytes);
        second.Transform(bytes);
    }

    [InlineArray(32)]
    private struct Bytes32
    {
        private byte _first;
    }
}
