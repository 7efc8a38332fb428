using Portico.Fuzz.Checking;

namespace Portico.Fuzz.Searching;

/// <summary>An input that a parser does not stand.</summary>
/// <param name="Target">The parser.</param>
/// <param name="Seed">Of the search that came upon it.</param>
/// <param name="Tried">How many inputs that took.</param>
/// <param name="Input">The input, shortened as far as it still fails in the same way.</param>
/// <param name="What">What the parser did.</param>
internal sealed record Finding(Target Target, ulong Seed, int Tried, byte[] Input, string What)
{
    /// <summary>Goes the way of one search again; a slow machine may need more seconds for it.</summary>
    public static string SearchCommand(Target target, ulong seed) =>
        $"{Variables.Target}={target.Name} {Variables.Seed}={seed} {Variables.Seconds}=60 "
            + "dotnet test -c Release tests/Portico.Fuzz --filter FullyQualifiedName~SearchTests";

    /// <summary>Everything that is needed to see it again and to keep it.</summary>
    public override string ToString()
    {
        var hex = Convert.ToHexStringLower(Input);
        var replay = $"{Variables.Target}={Target.Name} {Variables.Input}={hex}";
        return $"""
            {Target.Name}: {What}
            found by seed {Seed} with input {Tried}; {Input.Length} bytes: {hex}
            replay:  {replay} dotnet test -c Release tests/Portico.Fuzz --filter FullyQualifiedName~CorpusTests
            search:  {SearchCommand(Target, Seed)}
            keep:    echo {hex} > tests/Portico.Fuzz/Corpus/{Target.Name}/what_it_is.hex
            """;
    }
}
