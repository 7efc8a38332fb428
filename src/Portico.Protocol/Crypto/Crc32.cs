using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Portico.Protocol.Crypto;

/// <summary>
/// CRC-32 as zlib and the middle proxy's frames use it (spec/03; CRC-32/ISO-HDLC:
/// polynomial 0x04C11DB7 reflected, start and final XOR all ones). It detects accidents, not attacks.
/// </summary>
public static partial class Crc32
{
    /// <summary>The checksum of <paramref name="bytes"/>; of none: 0.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>The checksum of everything <paramref name="crc"/> covers, followed by <paramref name="bytes"/>.</summary>
    /// <param name="crc">A finished checksum; 0 = of nothing.</param>
    /// <param name="bytes">Any length.</param>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        var register = ~crc;
        if (IsFoldingSupported && bytes.Length >= FoldingMinimum)
        {
            register = Fold(register, ref MemoryMarshal.GetReference(bytes), (nuint)bytes.Length);
            bytes = bytes[^(bytes.Length % FoldedBlock)..];
        }
        return ~AppendPortable(register, bytes);
    }

    internal static bool IsFoldingSupported => Pclmulqdq.IsSupported;
}
