using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests;

/// <summary>
/// A test that needs other people's programs: skipped with their names where one is missing,
/// unless PORTICO_REQUIRE_TOOLS=1 says that nothing may be skipped.
/// </summary>
public sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(params string[] programs) => Skip = ToolTheoryAttribute.Reason(programs);
}

/// <summary>The same with several cases.</summary>
public sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(params string[] programs) => Skip = Reason(programs);

    internal static bool NothingMaySkip => Environment.GetEnvironmentVariable("PORTICO_REQUIRE_TOOLS") == "1";

    internal static string? Reason(string[] programs)
    {
        var missing = programs.Where(program => Programs.Find(program) is null).ToArray();
        return missing.Length == 0 || NothingMaySkip
            ? null
            : $"not installed: {string.Join(", ", missing)}. Run tests/install-tools, then this test talks to the real program";
    }
}
