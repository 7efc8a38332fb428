using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Portico.Protocol.Crypto;

/// <summary>
/// An integer modulo p = 2^255 - 19, four 64-bit limbs, least significant first.
/// Between operations any value below 2^256 stands for its remainder; only <see cref="ToCanonical"/>
/// makes it unique. Not constant-time: it works on public coordinates alone.
/// </summary>
internal readonly struct Field25519(ulong limb0, ulong limb1, ulong limb2, ulong limb3)
{
    // 2^256 = 38 modulo p, so what overflows the four limbs comes back 38-fold. Likewise 2^255 = 19.
    private const ulong Fold256 = 38;
    private const ulong Fold255 = 19;
    private const ulong TopBit = 1ul << 63;

    private readonly ulong _limb0 = limb0, _limb1 = limb1, _limb2 = limb2, _limb3 = limb3;

    public static Field25519 One => new(1, 0, 0, 0);

    /// <summary>Reads 32 little-endian bytes; all 256 bits count.</summary>
    public static Field25519 Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]));

    /// <summary>Equality of the limbs; of the numbers only if both are canonical.</summary>
    public bool HasSameLimbs(in Field25519 other) =>
        _limb0 == other._limb0 && _limb1 == other._limb1 && _limb2 == other._limb2 && _limb3 == other._limb3;

    public static Field25519 operator +(in Field25519 x, in Field25519 y)
    {
        ulong carry = 0;
        var limb0 = Add(x._limb0, y._limb0, ref carry);
        var limb1 = Add(x._limb1, y._limb1, ref carry);
        var limb2 = Add(x._limb2, y._limb2, ref carry);
        var limb3 = Add(x._limb3, y._limb3, ref carry);
        return FoldCarry(limb0, limb1, limb2, limb3, carry);
    }

    public static Field25519 operator -(in Field25519 x, in Field25519 y)
    {
        ulong borrow = 0;
        var limb0 = Subtract(x._limb0, y._limb0, ref borrow);
        var limb1 = Subtract(x._limb1, y._limb1, ref borrow);
        var limb2 = Subtract(x._limb2, y._limb2, ref borrow);
        var limb3 = Subtract(x._limb3, y._limb3, ref borrow);

        // A borrow added 2^256 = 38. Taking that off can borrow once more, and then the limbs are large enough for the second time.
        borrow *= Fold256;
        limb0 = Subtract(limb0, 0, ref borrow);
        limb1 = Subtract(limb1, 0, ref borrow);
        limb2 = Subtract(limb2, 0, ref borrow);
        limb3 = Subtract(limb3, 0, ref borrow);
        return new Field25519(limb0 - borrow * Fold256, limb1, limb2, limb3);
    }

    public static Field25519 operator *(in Field25519 x, in Field25519 y)
    {
        // Schoolbook: row i adds x * y[i] at limb i; its carry is the new top limb.
        ulong carry = 0;
        var limb0 = MultiplyAdd(x._limb0, y._limb0, 0, ref carry);
        var limb1 = MultiplyAdd(x._limb1, y._limb0, 0, ref carry);
        var limb2 = MultiplyAdd(x._limb2, y._limb0, 0, ref carry);
        var limb3 = MultiplyAdd(x._limb3, y._limb0, 0, ref carry);
        var limb4 = carry;
        carry = 0;
        limb1 = MultiplyAdd(x._limb0, y._limb1, limb1, ref carry);
        limb2 = MultiplyAdd(x._limb1, y._limb1, limb2, ref carry);
        limb3 = MultiplyAdd(x._limb2, y._limb1, limb3, ref carry);
        limb4 = MultiplyAdd(x._limb3, y._limb1, limb4, ref carry);
        var limb5 = carry;
        carry = 0;
        limb2 = MultiplyAdd(x._limb0, y._limb2, limb2, ref carry);
        limb3 = MultiplyAdd(x._limb1, y._limb2, limb3, ref carry);
        limb4 = MultiplyAdd(x._limb2, y._limb2, limb4, ref carry);
        limb5 = MultiplyAdd(x._limb3, y._limb2, limb5, ref carry);
        var limb6 = carry;
        carry = 0;
        limb3 = MultiplyAdd(x._limb0, y._limb3, limb3, ref carry);
        limb4 = MultiplyAdd(x._limb1, y._limb3, limb4, ref carry);
        limb5 = MultiplyAdd(x._limb2, y._limb3, limb5, ref carry);
        limb6 = MultiplyAdd(x._limb3, y._limb3, limb6, ref carry);
        var limb7 = carry;

        carry = 0;
        limb0 = MultiplyAdd(limb4, Fold256, limb0, ref carry);
        limb1 = MultiplyAdd(limb5, Fold256, limb1, ref carry);
        limb2 = MultiplyAdd(limb6, Fold256, limb2, ref carry);
        limb3 = MultiplyAdd(limb7, Fold256, limb3, ref carry);
        return FoldCarry(limb0, limb1, limb2, limb3, carry);
    }

    /// <summary>1 if this number is a square, -1 if it is not, 0 if it is zero. For canonical numbers only.</summary>
    public int JacobiSymbol() => Crypto.JacobiSymbol.OverPrime25519(_limb0, _limb1, _limb2, _limb3);

    /// <summary>The number whose product with this one is 1; zero for zero. Fermat: the power p - 2 = 2^255 - 21.</summary>
    public Field25519 Invert()
    {
        // power N holds x^(2^N - 1).
        var square = this * this;
        var power2 = square * this;
        var power4 = SquareTimes(power2, 2) * power2;
        var power5 = SquareTimes(power4, 1) * this;
        var power10 = SquareTimes(power5, 5) * power5;
        var power20 = SquareTimes(power10, 10) * power10;
        var power40 = SquareTimes(power20, 20) * power20;
        var power50 = SquareTimes(power40, 10) * power10;
        var power100 = SquareTimes(power50, 50) * power50;
        var power200 = SquareTimes(power100, 100) * power100;
        var power250 = SquareTimes(power200, 50) * power50;

        // 2^255 - 21 = (2^250 - 1) * 32 + 11, and 11 = 8 + 3.
        var power11 = SquareTimes(square, 2) * power2;
        return SquareTimes(power250, 5) * power11;
    }

    /// <summary>The same number as a value below p.</summary>
    public Field25519 ToCanonical() => FoldTopBit().FoldTopBit().SubtractModulusOnce();

    /// <summary>True if the limbs are below p.</summary>
    public bool IsCanonical => HasSameLimbs(ToCanonical());

    /// <summary>True if this number stands for zero.</summary>
    public bool IsZero => ToCanonical().HasSameLimbs(default);

    /// <summary>Writes 32 little-endian bytes of a canonical number.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, _limb0);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], _limb1);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], _limb2);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], _limb3);
    }

    private static Field25519 SquareTimes(Field25519 x, int times)
    {
        for (var i = 0; i < times; i++)
            x *= x;
        return x;
    }

    // Below 2^256 becomes below 2^255 + 19, and that becomes below 2^255.
    private Field25519 FoldTopBit()
    {
        var carry = (_limb3 / TopBit) * Fold255;
        var limb0 = Add(_limb0, 0, ref carry);
        var limb1 = Add(_limb1, 0, ref carry);
        var limb2 = Add(_limb2, 0, ref carry);
        return new Field25519(limb0, limb1, limb2, (_limb3 & ~TopBit) + carry);
    }

    // For values below 2^255: p or more is what reaches bit 255 when 19 is added.
    private Field25519 SubtractModulusOnce()
    {
        var carry = Fold255;
        var limb0 = Add(_limb0, 0, ref carry);
        var limb1 = Add(_limb1, 0, ref carry);
        var limb2 = Add(_limb2, 0, ref carry);
        var limb3 = _limb3 + carry;
        return limb3 < TopBit ? this : new Field25519(limb0, limb1, limb2, limb3 & ~TopBit);
    }

    // The second fold cannot overflow again: after the first overflow the limbs hold less than the 38-fold carry, a small number.
    private static Field25519 FoldCarry(ulong limb0, ulong limb1, ulong limb2, ulong limb3, ulong carry)
    {
        carry *= Fold256;
        limb0 = Add(limb0, 0, ref carry);
        limb1 = Add(limb1, 0, ref carry);
        limb2 = Add(limb2, 0, ref carry);
        limb3 = Add(limb3, 0, ref carry);
        return new Field25519(limb0 + carry * Fold256, limb1, limb2, limb3);
    }

    // x + y + carry; the new carry is whatever exceeds 64 bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Add(ulong x, ulong y, ref ulong carry)
    {
        var partial = unchecked(x + carry);
        var sum = unchecked(partial + y);
        carry = (partial < x ? 1ul : 0) + (sum < y ? 1ul : 0);
        return sum;
    }

    // x - y - borrow; the first borrow of a chain may be any small number, the next are 0 or 1.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Subtract(ulong x, ulong y, ref ulong borrow)
    {
        var partial = unchecked(x - borrow);
        var difference = unchecked(partial - y);
        borrow = (partial > x ? 1ul : 0) + (difference > partial ? 1ul : 0);
        return difference;
    }

    // x * y + addend + carry never exceeds 128 bits: (2^64-1)^2 + 2 * (2^64-1) = 2^128 - 1.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong MultiplyAdd(ulong x, ulong y, ulong addend, ref ulong carry)
    {
        // Two multiplications, but no stack slot: the out parameter of BigMul
        // goes through memory, which costs about a quarter of the time here.
        var low = unchecked(x * y);
        var high = Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(x, y) : Math.BigMul(x, y, out _);
        low = unchecked(low + addend);
        high += low < addend ? 1ul : 0;
        low = unchecked(low + carry);
        high += low < carry ? 1ul : 0;
        carry = high;
        return low;
    }
}
