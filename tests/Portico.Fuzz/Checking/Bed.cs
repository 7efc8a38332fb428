namespace Portico.Fuzz.Checking;

/// <summary>A place in memory for one input at a time.</summary>
internal abstract class Bed
{
    /// <summary>Longest input, in bytes: a hello in eight records and some more.</summary>
    protected const int MaxLength = 1 << 16;

    /// <summary>Whether the bytes around the last input are still what they were.</summary>
    public abstract bool IsUntouched { get; }

    /// <summary>A copy of the bytes; the last one is gone.</summary>
    public abstract Span<byte> Lay(ReadOnlySpan<byte> bytes);
}

/// <summary>
/// In the middle of an array full of one value: a parser that
/// looks around sees it, and two values make it say two things.
/// </summary>
internal sealed class PoisonedBed(byte poison) : Bed
{
    // Odd, so that no input is aligned.
    private const int Before = 67;
    private const int After = 64;

    private readonly byte[] _array = new byte[Before + MaxLength + After];
    private int _length;

    public override bool IsUntouched =>
        !_array.AsSpan(0, Before).ContainsAnyExcept(poison) && !_array.AsSpan(Before + _length, After).ContainsAnyExcept(poison);

    public override Span<byte> Lay(ReadOnlySpan<byte> bytes)
    {
        _length = bytes.Length;
        _array.AsSpan(0, Before).Fill(poison);
        bytes.CopyTo(_array.AsSpan(Before));
        _array.AsSpan(Before + _length, After).Fill(poison);
        return _array.AsSpan(Before, _length);
    }

    public override string ToString() => $"poison {poison:x2}";
}

/// <summary>Against a protected page: reading one byte too many is the end of the process, which no test overlooks.</summary>
internal sealed class GuardedBed(GuardedMemory memory, bool atEnd) : Bed
{
    public override bool IsUntouched => true;

    public override Span<byte> Lay(ReadOnlySpan<byte> bytes)
    {
        var space = atEnd ? memory.Span[^bytes.Length..] : memory.Span[..bytes.Length];
        bytes.CopyTo(space);
        return space;
    }

    public override string ToString() => atEnd ? "before a protected page" : "behind a protected page";
}
