using Portico.Protocol;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Checking;

/// <summary>A parser without memory that is shown all bytes so far, again and again, until it decides.</summary>
internal abstract class ResumableTarget : Target
{
    private const int LongestTail = 24;

    // A hello has up to 1.8 KB; longer inputs are tried at a stride beside their beginning and their end.
    private const int EveryPrefixUpTo = 2048;
    private const int Stride = 61;

    public sealed override (Outcome Outcome, int DecidedAt) Check(byte[] input, Ground ground)
    {
        var whole = ParseOn(ground.Light, input);
        DemandExpected(whole);
        Demand(
            whole.Status == FrameStatus.NeedMoreData || whole.Consumed <= input.Length,
            $"takes {whole.Consumed} of {input.Length} bytes");
        Demand(
            whole.Status != FrameStatus.NeedMoreData || input.Length < MostUndecided,
            "has not decided after as many bytes as can matter");
        foreach (var bed in ground.OtherBeds)
            Demand(whole == ParseOn(bed, input), $"says something else where other bytes stand around the same input ({bed})");

        var decidedAt = whole.Status == FrameStatus.NeedMoreData ? input.Length + 1 : FirstDecision(input, ground);
        for (var i = 0; i < 2; i++) CheckPrefix(input, ground.Random.Below(input.Length + 1), decidedAt, whole, ground);
        if (whole.Status != FrameStatus.NeedMoreData)
        {
            byte[] longer = [.. input, .. ground.Random.Bytes(1 + ground.Random.Below(LongestTail))];
            DemandSame(whole, ParseOn(ground.Light, longer), input.Length, longer.Length);
        }

        CheckResult(input, whole);
        return (whole, decidedAt);
    }

    public sealed override void CheckThoroughly(byte[] input, Ground ground)
    {
        var whole = ParseOn(ground.Light, input);
        var decidedAt = whole.Status == FrameStatus.NeedMoreData ? input.Length + 1 : FirstDecision(input, ground);
        for (var length = 0; length <= input.Length; length++)
        {
            if (input.Length <= EveryPrefixUpTo || length % Stride == 0 || Math.Abs(length - decidedAt) <= 2)
                CheckPrefix(input, length, decidedAt, whole, ground);
        }
    }

    /// <summary>After so many bytes the parser has decided, whatever they are: who waits longer can be made to wait for ever.</summary>
    protected virtual int MostUndecided => int.MaxValue;

    /// <summary>Asks the parser. The bytes are a copy that it may change.</summary>
    protected abstract Outcome Parse(Span<byte> bytes);

    /// <summary>What must hold between an input and what was made of it, beyond the rules of all parsers.</summary>
    protected virtual void CheckResult(ReadOnlySpan<byte> input, Outcome outcome)
    {
    }

    private Outcome ParseOn(Bed bed, ReadOnlySpan<byte> bytes)
    {
        var outcome = Parse(bed.Lay(bytes));
        Demand(bed.IsUntouched, "writes outside its input");
        return outcome;
    }

    /// <summary>
    /// The shortest prefix that is decided, if no decision is ever taken back;
    /// where one is, some prefix will not agree with this number.
    /// </summary>
    private int FirstDecision(byte[] input, Ground ground)
    {
        var (undecided, decided) = (-1, input.Length);
        while (decided - undecided > 1)
        {
            var middle = (undecided + decided) / 2;
            if (ParseOn(ground.Light, input.AsSpan(0, middle)).Status == FrameStatus.NeedMoreData)
                undecided = middle;
            else
                decided = middle;
        }

        return decided;
    }

    private void CheckPrefix(byte[] input, int length, int decidedAt, Outcome whole, Ground ground)
    {
        var early = ParseOn(ground.Light, input.AsSpan(0, length));
        DemandExpected(early);
        if (early.Status != FrameStatus.NeedMoreData)
            DemandSame(early, whole, length, input.Length);
        Demand(
            early.Status == FrameStatus.NeedMoreData == length < decidedAt,
            $"is undecided again after {Math.Max(length, decidedAt)} bytes, after a decision on fewer");
    }

    private static void DemandSame(Outcome early, Outcome late, int fewer, int more) =>
        Demand(
            early == late,
            $"says \"{early.Name}\" ({early.Consumed} taken) of {fewer} bytes and \"{late.Name}\" ({late.Consumed} taken) of {more}");
}
