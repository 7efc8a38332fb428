using System.Diagnostics.CodeAnalysis;

namespace Portico.Fuzz.Checking;

/// <summary>A parser broke one of the rules that all of them promise to keep.</summary>
internal sealed class ContractException(string problem) : Exception(problem)
{
    /// <exception cref="ContractException">The rule is broken.</exception>
    public static void Demand([DoesNotReturnIf(false)] bool holds, string problem)
    {
        if (!holds) throw new ContractException(problem);
    }
}
