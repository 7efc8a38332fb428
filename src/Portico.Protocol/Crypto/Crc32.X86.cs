using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Portico.Protocol.Crypto;

/// <content>
/// Folding by carry-less multiplication (Gopal et al., "Fast CRC Computation for Generic Polynomials
/// Using PCLMULQDQ", Intel 2009): 16 bytes are moved forward over the ones that follow by multiplying
/// their halves with powers of x modulo the polynomial, until 16 bytes with the same remainder are left.
/// Those go through the tables: two steps, and no constants for a final reduction.
/// </content>
public static partial class Crc32
{
    private const int FoldedBlock = 16;

    // Below this the tables are done before the folding pays.
    private const int FoldingMinimum = 4 * FoldedBlock;

    // Bit-reflected x^n mod P, one bit to the left because a reflected product is one bit short:
    // n = distance + 32 for the half that is read first (lower eight bytes), distance - 32 for the other.
    // Distance 512 bits in the wide loop, 128 in the narrow one.
    private static Vector128<ulong> Over512Bits => Vector128.Create(0x1_5444_2BD4ul, 0x1_C6E4_1596ul);

    private static Vector128<ulong> Over128Bits => Vector128.Create(0x1_7519_97D0ul, 0x0_CCAA_009Eul);

    // Covers whole blocks, at least four; the caller appends the rest.
    private static uint Fold(uint register, ref byte bytes, nuint length)
    {
        // The register belongs to the first four bytes of the message.
        var a = Load(ref bytes, 0) ^ Vector128.CreateScalar(register).AsUInt64();
        var b = Load(ref bytes, 1 * FoldedBlock);
        var c = Load(ref bytes, 2 * FoldedBlock);
        var d = Load(ref bytes, 3 * FoldedBlock);

        nuint at = 4 * FoldedBlock;
        var wide = Over512Bits;
        for (; length - at >= 4 * FoldedBlock; at += 4 * FoldedBlock)
        {
            a = MoveOver(a, wide) ^ Load(ref bytes, at);
            b = MoveOver(b, wide) ^ Load(ref bytes, at + 1 * FoldedBlock);
            c = MoveOver(c, wide) ^ Load(ref bytes, at + 2 * FoldedBlock);
            d = MoveOver(d, wide) ^ Load(ref bytes, at + 3 * FoldedBlock);
        }

        var narrow = Over128Bits;
        b ^= MoveOver(a, narrow);
        c ^= MoveOver(b, narrow);
        d ^= MoveOver(c, narrow);
        for (; length - at >= FoldedBlock; at += FoldedBlock)
            d = MoveOver(d, narrow) ^ Load(ref bytes, at);

        return AppendPortable(0, MemoryMarshal.AsBytes(new ReadOnlySpan<Vector128<ulong>>(in d)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> MoveOver(Vector128<ulong> block, Vector128<ulong> distance) =>
        Pclmulqdq.CarrylessMultiply(block, distance, 0x00) ^ Pclmulqdq.CarrylessMultiply(block, distance, 0x11);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ref byte bytes, nuint at) => Vector128.LoadUnsafe(ref bytes, at).AsUInt64();
}
