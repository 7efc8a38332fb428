using Portico.Fuzz.Searching;
using Xunit;

namespace Portico.Fuzz.Broken;

/// <summary>A search that finds nothing is worth what it would have found.</summary>
public sealed class HarnessTests
{
    private const ulong Seed = 1;

    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(20);

    public static TheoryData<Mistake> Mistakes => [.. Enum.GetValues<Mistake>().Where(mistake => mistake != Mistake.None)];

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_wrong_parser_is_found_with_an_input_that_shows_the_mistake(Mistake mistake)
    {
        // Only the parser that never ends is waited for.
        var patience = mistake == Mistake.NeverEnds ? TimeSpan.FromSeconds(1) : Search.Patience;
        var found = new Search(new BrokenTarget(mistake), Seed, patience).Run(Budget, mostInputs: 200_000);

        Assert.NotNull(found);
        Assert.Contains(Convert.ToHexStringLower(found.Input), found.ToString(), StringComparison.Ordinal);
        Assert.Contains($"{Variables.Seed}={Seed}", found.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_right_parser_is_left_alone() =>
        Assert.Null(new Search(new BrokenTarget(Mistake.None), Seed, Search.Patience).Run(Budget, mostInputs: 20_000));

    [Fact]
    public void An_input_is_shortened_to_what_makes_it_fail()
    {
        var found = new Search(new BrokenTarget(Mistake.ThrowsForOneValue), Seed, Search.Patience).Run(Budget, mostInputs: 200_000);

        Assert.Equal("0101ff", Convert.ToHexStringLower(found!.Input));
        Assert.StartsWith("throws InvalidOperationException: 511", found.What, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_tries_the_same_inputs()
    {
        var one = new Search(new BrokenTarget(Mistake.None), Seed, Search.Patience);
        var same = new Search(new BrokenTarget(Mistake.None), Seed, Search.Patience);
        var other = new Search(new BrokenTarget(Mistake.None), Seed + 1, Search.Patience);
        foreach (var search in (Search[])[one, same, other]) search.Run(Budget, mostInputs: 2_000);

        Assert.Equal(one.Last, same.Last);
        Assert.NotEqual(one.Last, other.Last);
    }
}
