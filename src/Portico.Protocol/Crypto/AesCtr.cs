using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Portico.Protocol.Crypto;

/// <summary>
/// One direction of an obfuscated stream: AES-256-CTR with a 128-bit big-endian counter (spec/01
/// section 2.2, NIST SP 800-38A section 6.5). A mutable value that lives inside its session:
/// a copy of one in use would repeat keystream. Not thread-safe. Calls may split the stream anywhere.
/// </summary>
/// <remarks>
/// 56 bytes, because every idle session holds two: no key schedule and no keystream are kept between calls. The schedule
/// is expanded by each call, and the rest of a keystream block used in part is computed again from its counter.
/// </remarks>
public partial struct AesCtr
{
    private const int BlockLength = 16;

    private Bytes32 _key;

    // The counter of the next block that is not used up, as two halves: one UInt128 would be aligned to 16 and make the struct 64 bytes.
    private ulong _counterLow;
    private ulong _counterHigh;

    // Bytes of that block already used, 0..15.
    private byte _usedOfBlock;

    /// <summary>Starts the stream at position 0.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="iv">16 bytes, the first counter block.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public AesCtr(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv)
    {
        if (key.Length != Bytes32.Length)
            throw new ArgumentException("An AES-256 key has 32 bytes.", nameof(key));
        if (iv.Length != BlockLength)
            throw new ArgumentException("A counter block has 16 bytes.", nameof(iv));
        key.CopyTo(_key);
        _counterHigh = BinaryPrimitives.ReadUInt64BigEndian(iv);
        _counterLow = BinaryPrimitives.ReadUInt64BigEndian(iv[8..]);
    }

    /// <summary>XORs the next keystream bytes into <paramref name="bytes"/>.</summary>
    public void Transform(Span<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        ref var start = ref MemoryMarshal.GetReference(bytes);
        if (AesRoundKeys.IsSupported)
            TransformX86(ref this, ref start, ref start, (nuint)bytes.Length);
        else
            TransformPortable(ref this, bytes, bytes);
    }

    /// <summary>Writes <paramref name="input"/> XORed with the next keystream bytes to the front of <paramref name="output"/>.</summary>
    /// <param name="input">Any length.</param>
    /// <param name="output">
    /// At least as long. It may be the input itself or begin before it in the same
    /// buffer (so that headers can be squeezed out), but not inside it.
    /// </param>
    /// <exception cref="ArgumentException">The output is too short, or begins inside the input.</exception>
    public void Transform(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (output.Length < input.Length)
            throw new ArgumentException("The output is shorter than the input.", nameof(output));
        output = output[..input.Length];
        if (input.Overlaps(output, out var outputBegins) && outputBegins > 0)
            throw new ArgumentException("The output begins inside the input and would overwrite what is still to be read.", nameof(output));
        if (input.IsEmpty)
            return;
        if (AesRoundKeys.IsSupported)
            TransformX86(ref this, ref MemoryMarshal.GetReference(input), ref MemoryMarshal.GetReference(output), (nuint)input.Length);
        else
            TransformPortable(ref this, input, output);
    }

    /// <summary>
    /// XORs the next keystream bytes of both streams into <paramref name="bytes"/> in one pass:
    /// what a client sent becomes what the DC expects (spec/04).
    /// </summary>
    public static void TransformBoth(ref AesCtr first, ref AesCtr second, Span<byte> bytes)
    {
        if (bytes.IsEmpty)
            return;
        // A relayed stream keeps both positions equal from the 64-byte headers on,
        // so the one pass is the rule and the two passes the exception.
        if (AesRoundKeys.IsSupported && first._usedOfBlock == second._usedOfBlock)
        {
            TransformBothX86(ref first, ref second, ref MemoryMarshal.GetReference(bytes), (nuint)bytes.Length);
            return;
        }
        first.Transform(bytes);
        second.Transform(bytes);
    }

    /// <summary>Moves on by <paramref name="bytes"/> keystream bytes without using them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative: a stream never goes back.</exception>
    public void Skip(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Advance((uint)bytes);
    }

    private void Advance(nuint bytes)
    {
        var fromBlockStart = _usedOfBlock + (ulong)bytes;
        AddToCounter(fromBlockStart / BlockLength);
        _usedOfBlock = (byte)(fromBlockStart % BlockLength);
    }

    private void AddToCounter(ulong blocks)
    {
        _counterLow = unchecked(_counterLow + blocks);
        if (_counterLow < blocks)
            _counterHigh = unchecked(_counterHigh + 1);
    }

    [InlineArray(Length)]
    private struct Bytes32
    {
        public const int Length = 32;
        private byte _first;
    }
}
