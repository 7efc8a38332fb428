using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Portico.Fuzz.Checking;
using Portico.Protocol;

namespace Portico.Fuzz.Broken;

/// <summary>
/// A parser of [01][length, 2 bytes big-endian][body] with one mistake
/// of the kind that real ones are made of. None means that it is right.
/// </summary>
internal sealed class BrokenTarget(Mistake mistake) : ResumableTarget
{
    private const byte Mark = 1;
    private const int Header = 3;
    private const int Longest = 600;

    private int _memory;

    public override string Name => $"broken-{mistake}";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "NeedMoreData", "Invalid"];

    public override IEnumerable<byte[]> Seeds => [[Mark, 0, 4, 1, 2, 3, 4], [Mark, 0, 0]];

    protected override int MostUndecided => Header + Longest;

    protected override Outcome Parse(Span<byte> bytes)
    {
        if (bytes.IsEmpty) return Outcome.NeedMoreData;
        if (bytes[0] != Mark) return new Outcome(FrameStatus.Invalid);
        if (bytes.Length < Header)
            return mistake == Mistake.CallsEveryBeginningBad && bytes.Length == 2 ? new Outcome(FrameStatus.Invalid) : Outcome.NeedMoreData;

        var length = bytes[1] << 8 | bytes[2];
        if (length > Longest && mistake != Mistake.WaitsForABodyThatIsTooLong)
            return new Outcome(FrameStatus.Invalid);
        if (mistake == Mistake.ThrowsForOneValue && length == 511)
            throw new InvalidOperationException("511");
        if (mistake == Mistake.NeverEnds && length == 5) new ManualResetEventSlim().Wait();
        if (mistake == Mistake.BelievesTheLength && length < 16)
            return Ok(bytes.Slice(Header, length));
        if (mistake == Mistake.LooksBehindTheEnd && bytes.Length == Header + length - 1)
            return Ok(MemoryMarshal.CreateReadOnlySpan(ref MemoryMarshal.GetReference(bytes[Header..]), length));
        if (bytes.Length < Header + length) return Outcome.NeedMoreData;

        if (mistake == Mistake.WritesBehindTheEnd && bytes.Length == Header + length)
            Unsafe.Add(ref MemoryMarshal.GetReference(bytes), bytes.Length) ^= 1;
        if (mistake == Mistake.ChangesItsMind && bytes.Length > Header + length && bytes[Header + length] == Mark)
            return new Outcome(FrameStatus.Invalid);
        if (mistake == Mistake.TakesEverything) return Ok(bytes[Header..]);
        if (mistake == Mistake.Remembers && length == 7)
            return new Outcome(FrameStatus.Ok, "", Header + length, (ulong)_memory++);
        if (mistake == Mistake.SaysTheUnexpected && length == 256)
            return new Outcome(FrameStatus.Ok, "Surprise");
        return Ok(bytes.Slice(Header, length));
    }

    private static Outcome Ok(ReadOnlySpan<byte> body) => new(FrameStatus.Ok, "", Header + body.Length, new Digest().Add(body).Value);
}

/// <summary>What can be wrong with a parser.</summary>
public enum Mistake
{
    None,
    BelievesTheLength,
    ChangesItsMind,
    ThrowsForOneValue,
    NeverEnds,
    LooksBehindTheEnd,
    WritesBehindTheEnd,
    CallsEveryBeginningBad,
    WaitsForABodyThatIsTooLong,
    TakesEverything,
    Remembers,
    SaysTheUnexpected,
}
