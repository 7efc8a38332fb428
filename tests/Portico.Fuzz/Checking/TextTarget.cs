using System.Text;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Checking;

/// <summary>
/// A reader of whole texts that users write. Nothing is promised
/// about their beginnings, only that any text gives an answer.
/// </summary>
internal abstract class TextTarget : Target
{
    public sealed override (Outcome Outcome, int DecidedAt) Check(byte[] input, Ground ground)
    {
        // As files and arguments are decoded: what is no UTF-8 becomes a replacement character.
        var text = Encoding.UTF8.GetString(input);
        var outcome = Read(text);
        DemandExpected(outcome);
        Demand(outcome == Read(text), "says something else the second time");
        return (outcome, 0);
    }

    public sealed override void CheckThoroughly(byte[] input, Ground ground)
    {
        for (var length = 0; length < input.Length; length++) DemandExpected(Read(Encoding.UTF8.GetString(input, 0, length)));
    }

    /// <summary>Asks the reader, and checks what must hold for its answer.</summary>
    protected abstract Outcome Read(string text);

    protected static IReadOnlyList<byte[]> TokensOf(params string[] tokens) => [.. tokens.Select(Encoding.UTF8.GetBytes)];
}
