using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Portico.Protocol.Crypto;

/// <content>
/// The twin for processors without AES-NI: the platform's ECB over batches of counter blocks.
/// Correct everywhere, but it sets up a cipher object per call.
/// </content>
public partial struct AesCtr
{
    private const int PortableBatch = 64 * BlockLength;

    internal static void TransformPortable(ref AesCtr stream, ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.IsEmpty)
            return;
        using var aes = Aes.Create();
        aes.SetKey(stream._key);
        Span<byte> keystream = stackalloc byte[PortableBatch];
        while (!input.IsEmpty)
        {
            int used = stream._usedOfBlock;
            var taken = Math.Min(input.Length, PortableBatch - used);
            var blocks = keystream[..((used + taken + BlockLength - 1) / BlockLength * BlockLength)];
            WriteCounters(stream, blocks);
            aes.EncryptEcb(blocks, blocks, PaddingMode.None);
            for (var i = 0; i < taken; i++)
                output[i] = (byte)(input[i] ^ blocks[used + i]);
            stream.Advance((uint)taken);
            input = input[taken..];
            output = output[taken..];
        }
    }

    private static void WriteCounters(in AesCtr stream, Span<byte> blocks)
    {
        var counter = new UInt128(stream._counterHigh, stream._counterLow);
        for (var at = 0; at < blocks.Length; at += BlockLength, counter = unchecked(counter + 1))
            BinaryPrimitives.WriteUInt128BigEndian(blocks[at..], counter);
    }
}
