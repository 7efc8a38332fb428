using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Portico.Protocol.Crypto;

/// <content>
/// AES-NI. References instead of spans keep bounds checks out of the loops; every step below is covered
/// by the length its caller took from the span. Order of work: the rest of a block used in part,
/// batches of eight, single blocks, the beginning of a last block. Single blocks need no batch of their own:
/// they depend on nothing but the counter, so the processor overlaps them with each other and with the key schedule.
/// </content>
public partial struct AesCtr
{
    [SkipLocalsInit]
    internal static void TransformX86(ref AesCtr stream, ref byte input, ref byte output, nuint length)
    {
        AesRoundKeys.Expand(ref Unsafe.As<Bytes32, byte>(ref stream._key), out var keys);
        nuint used = stream._usedOfBlock;
        nuint done = 0;

        if (used != 0)
        {
            done = nuint.Min(length, BlockLength - used);
            XorPart(keys.Encrypt(stream.CounterBlock()), used, ref input, ref output, done);
            stream.Advance(done);
        }

        for (var blocks = (length - done) / BlockLength; blocks != 0;)
        {
            var run = (nuint)ulong.Min(blocks, stream.BlocksBeforeCarry());
            TransformBlocks(in keys, stream.Counter(), ref Unsafe.Add(ref input, done), ref Unsafe.Add(ref output, done), run);
            stream.AddToCounter(run);
            done += run * BlockLength;
            blocks -= run;
        }

        if (done != length)
        {
            XorPart(
                keys.Encrypt(stream.CounterBlock()), 0, ref Unsafe.Add(ref input, done),
                ref Unsafe.Add(ref output, done), length - done);
            stream._usedOfBlock = (byte)(length - done);
        }
    }

    [SkipLocalsInit]
    internal static void TransformBothX86(ref AesCtr first, ref AesCtr second, ref byte bytes, nuint length)
    {
        AesRoundKeys.Expand(ref Unsafe.As<Bytes32, byte>(ref first._key), out var firstKeys);
        AesRoundKeys.Expand(ref Unsafe.As<Bytes32, byte>(ref second._key), out var secondKeys);
        nuint used = first._usedOfBlock;
        nuint done = 0;

        if (used != 0)
        {
            done = nuint.Min(length, BlockLength - used);
            XorPart(firstKeys.Encrypt(first.CounterBlock()) ^ secondKeys.Encrypt(second.CounterBlock()), used, ref bytes, ref bytes, done);
            first.Advance(done);
            second.Advance(done);
        }

        for (var blocks = (length - done) / BlockLength; blocks != 0;)
        {
            var run = (nuint)ulong.Min(blocks, ulong.Min(first.BlocksBeforeCarry(), second.BlocksBeforeCarry()));
            TransformBlocksOfBoth(in firstKeys, first.Counter(), in secondKeys, second.Counter(), ref Unsafe.Add(ref bytes, done), run);
            first.AddToCounter(run);
            second.AddToCounter(run);
            done += run * BlockLength;
            blocks -= run;
        }

        if (done != length)
        {
            ref var rest = ref Unsafe.Add(ref bytes, done);
            XorPart(
                firstKeys.Encrypt(first.CounterBlock()) ^ secondKeys.Encrypt(second.CounterBlock()),
                0, ref rest, ref rest, length - done);
            first._usedOfBlock = second._usedOfBlock = (byte)(length - done);
        }
    }

    // Not inlined: behind a reference the 15 round keys stay in memory, one load each per batch.
    // As locals they would take the registers and the blocks would be spilled.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TransformBlocks(in AesRoundKeys keys, Vector128<ulong> counter, ref byte input, ref byte output, nuint blocks)
    {
        nuint at = 0;
        var end = blocks * BlockLength;
        for (; end - at >= 8 * BlockLength; at += 8 * BlockLength)
        {
            var a = ToBlock(counter);
            var b = ToBlock(counter + Vector128.Create(1ul, 0));
            var c = ToBlock(counter + Vector128.Create(2ul, 0));
            var d = ToBlock(counter + Vector128.Create(3ul, 0));
            var e = ToBlock(counter + Vector128.Create(4ul, 0));
            var f = ToBlock(counter + Vector128.Create(5ul, 0));
            var g = ToBlock(counter + Vector128.Create(6ul, 0));
            var h = ToBlock(counter + Vector128.Create(7ul, 0));
            counter += Vector128.Create(8ul, 0);
            AesRoundKeys.Encrypt4And4(in keys, ref a, ref b, ref c, ref d, in keys, ref e, ref f, ref g, ref h);
            Xor(a, ref input, ref output, at);
            Xor(b, ref input, ref output, at + 1 * BlockLength);
            Xor(c, ref input, ref output, at + 2 * BlockLength);
            Xor(d, ref input, ref output, at + 3 * BlockLength);
            Xor(e, ref input, ref output, at + 4 * BlockLength);
            Xor(f, ref input, ref output, at + 5 * BlockLength);
            Xor(g, ref input, ref output, at + 6 * BlockLength);
            Xor(h, ref input, ref output, at + 7 * BlockLength);
        }

        for (; at != end; at += BlockLength)
        {
            Xor(keys.Encrypt(ToBlock(counter)), ref input, ref output, at);
            counter += Vector128.Create(1ul, 0);
        }
    }

    // Four blocks of each stream: the same eight in flight, and the bytes are loaded and stored once.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TransformBlocksOfBoth(
        in AesRoundKeys firstKeys, Vector128<ulong> first, in AesRoundKeys secondKeys,
        Vector128<ulong> second, ref byte bytes, nuint blocks)
    {
        nuint at = 0;
        var end = blocks * BlockLength;
        for (; end - at >= 4 * BlockLength; at += 4 * BlockLength)
        {
            var a = ToBlock(first);
            var b = ToBlock(first + Vector128.Create(1ul, 0));
            var c = ToBlock(first + Vector128.Create(2ul, 0));
            var d = ToBlock(first + Vector128.Create(3ul, 0));
            var e = ToBlock(second);
            var f = ToBlock(second + Vector128.Create(1ul, 0));
            var g = ToBlock(second + Vector128.Create(2ul, 0));
            var h = ToBlock(second + Vector128.Create(3ul, 0));
            first += Vector128.Create(4ul, 0);
            second += Vector128.Create(4ul, 0);
            AesRoundKeys.Encrypt4And4(in firstKeys, ref a, ref b, ref c, ref d, in secondKeys, ref e, ref f, ref g, ref h);
            Xor(a ^ e, ref bytes, ref bytes, at);
            Xor(b ^ f, ref bytes, ref bytes, at + 1 * BlockLength);
            Xor(c ^ g, ref bytes, ref bytes, at + 2 * BlockLength);
            Xor(d ^ h, ref bytes, ref bytes, at + 3 * BlockLength);
        }

        for (; at != end; at += BlockLength)
        {
            Xor(firstKeys.Encrypt(ToBlock(first)) ^ secondKeys.Encrypt(ToBlock(second)), ref bytes, ref bytes, at);
            first += Vector128.Create(1ul, 0);
            second += Vector128.Create(1ul, 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Xor(Vector128<byte> keystream, ref byte input, ref byte output, nuint at) =>
        (Vector128.LoadUnsafe(ref input, at) ^ keystream).StoreUnsafe(ref output, at);

    // 1..15 bytes with keystream[from..]. Ascending, because the output may begin before the input in the same buffer.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void XorPart(Vector128<byte> keystream, nuint from, ref byte input, ref byte output, nuint count)
    {
        ref var key = ref Unsafe.Add(ref Unsafe.As<Vector128<byte>, byte>(ref keystream), from);
        nuint at = 0;
        if ((count & 8) != 0)
        {
            XorWord<ulong>(ref key, ref input, ref output, at);
            at += 8;
        }
        if ((count & 4) != 0)
        {
            XorWord<uint>(ref key, ref input, ref output, at);
            at += 4;
        }
        for (; at != count; at++)
            XorWord<byte>(ref key, ref input, ref output, at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void XorWord<T>(ref byte key, ref byte input, ref byte output, nuint at)
        where T : struct, System.Numerics.IBitwiseOperators<T, T, T>
    {
        var word = Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref input, at)) ^ Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref key, at));
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref output, at), word);
    }

    // In registers the counter is little-endian; one shuffle makes the block of it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> ToBlock(Vector128<ulong> counter) =>
        Ssse3.Shuffle(counter.AsByte(), Vector128.Create((byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector128<ulong> Counter() => Vector128.Create(_counterLow, _counterHigh);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector128<byte> CounterBlock() => ToBlock(Counter());

    // How many blocks can be counted by adding to the low half alone. Zero would mean 2^64, more than any buffer.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ulong BlocksBeforeCarry() => _counterLow == 0 ? ulong.MaxValue : unchecked(0 - _counterLow);
}
