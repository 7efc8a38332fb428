using Portico.Fuzz.Searching;

namespace Portico.Fuzz.Checking;

/// <summary>One parser under search: how to call it, what it may say, and what must hold for what it gives.</summary>
internal abstract class Target
{
    /// <summary>Also the name of its folder in the corpus.</summary>
    public abstract string Name { get; }

    /// <summary>Every <see cref="Outcome.Name"/> it may come to. Each is reached by a vector or a corpus file, and no other ever.</summary>
    public abstract IReadOnlyCollection<string> Expected { get; }

    /// <summary>Where a search begins, beside the corpus.</summary>
    public virtual IEnumerable<byte[]> Seeds => [];

    /// <summary>Bytes that mean something in this format.</summary>
    public virtual IReadOnlyList<byte[]> Tokens => [];

    /// <summary>Longest input worth trying, in bytes.</summary>
    public virtual int MaxLength => 2048;

    /// <summary>
    /// A change that keeps a format whole where blind ones would break it,
    /// or null where this input has no such structure.
    /// </summary>
    public virtual byte[]? MutateStructure(byte[] input, SplitMix random) => null;

    /// <summary>Checks every rule on one input.</summary>
    /// <exception cref="ContractException">A rule is broken; any other exception is a broken rule too.</exception>
    public abstract (Outcome Outcome, int DecidedAt) Check(byte[] input, Ground ground);

    /// <summary>What takes too long to do for every input: all prefixes, byte by byte.</summary>
    public abstract void CheckThoroughly(byte[] input, Ground ground);

    /// <summary>For test explorers.</summary>
    public override string ToString() => Name;

    /// <exception cref="ContractException">An outcome that is not in the list.</exception>
    protected void DemandExpected(Outcome outcome) =>
        ContractException.Demand(Expected.Contains(outcome.Name), $"comes to \"{outcome.Name}\", which nobody expects");
}
