using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Checking;

/// <summary>
/// A reader of whole messages: something else has found out where they end,
/// so nothing is promised about their beginnings.
/// </summary>
internal abstract class WholeTarget : Target
{
    public sealed override (Outcome Outcome, int DecidedAt) Check(byte[] input, Ground ground)
    {
        var outcome = ReadOn(ground.Light, input);
        DemandExpected(outcome);
        foreach (var bed in ground.OtherBeds)
            Demand(outcome == ReadOn(bed, input), $"says something else where other bytes stand around the same input ({bed})");

        return (outcome, 0);
    }

    public sealed override void CheckThoroughly(byte[] input, Ground ground)
    {
        for (var length = 0; length < input.Length; length++) DemandExpected(ReadOn(ground.NextOther(), input.AsSpan(0, length)));
    }

    /// <summary>Asks the reader, and checks what must hold for its answer.</summary>
    protected abstract Outcome Read(ReadOnlySpan<byte> message);

    private Outcome ReadOn(Bed bed, ReadOnlySpan<byte> bytes)
    {
        var outcome = Read(bed.Lay(bytes));
        Demand(bed.IsUntouched, "writes outside its input");
        return outcome;
    }
}
