using Portico.Fuzz.Searching;
using Portico.Fuzz.Targets;
using Xunit;

namespace Portico.Fuzz;

/// <summary>
/// Looks for inputs that nobody thought of: 20 seconds over all targets in a normal run,
/// 10 minutes in a slow one, half of it from a seed that was never tried.
/// </summary>
public sealed class SearchTests
{
    [Theory]
    [MemberData(nameof(AllTargets.Names), MemberType = typeof(AllTargets))]
    internal void No_input_makes_a_parser_break_its_rules(string target)
    {
        var seeds = Variables.Seeds;
        var budget = Variables.BudgetOfOne(AllTargets.Count) / seeds.Length;
        foreach (var seed in seeds)
        {
            var found = new Search(AllTargets.Named(target), seed, Search.Patience).Run(budget);

            Assert.True(found is null, $"{found}");
        }
    }
}
