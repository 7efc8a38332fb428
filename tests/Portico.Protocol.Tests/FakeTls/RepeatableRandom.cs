using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Portico.Protocol.Tests.FakeTls;

/// <summary>The same bytes for the same seed: SHA-256 over a counter.</summary>
internal sealed class RepeatableRandom(int seed)
{
    private int _counter;

    public void Fill(Span<byte> bytes)
    {
        Span<byte> input = stackalloc byte[8];
        Span<byte> block = stackalloc byte[32];
        BinaryPrimitives.WriteInt32LittleEndian(input, seed);
        while (!bytes.IsEmpty)
        {
            BinaryPrimitives.WriteInt32LittleEndian(input[4..], _counter++);
            SHA256.HashData(input, block);
            var length = Math.Min(bytes.Length, block.Length);
            block[..length].CopyTo(bytes);
            bytes = bytes[length..];
        }
    }
}
