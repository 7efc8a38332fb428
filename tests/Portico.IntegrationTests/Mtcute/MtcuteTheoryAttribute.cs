using Portico.TestKit;
using Xunit;

namespace Portico.IntegrationTests.Mtcute;

/// <summary>
/// A test that needs mtcute: skipped with the reason where it is not installed,
/// unless PORTICO_REQUIRE_TOOLS=1 says that nothing may be skipped.
/// </summary>
public sealed class MtcuteTheoryAttribute : TheoryAttribute
{
    /// <summary>Where tests/install-tools puts it.</summary>
    internal static readonly string Folder = Path.Combine(RepositoryRoot.Path, ".tools", "mtcute");

    public MtcuteTheoryAttribute(params string[] programs)
    {
        Skip = ToolTheoryAttribute.Reason([MtcuteTests.Node, .. programs]);
        if (Skip is null
            && !Directory.Exists(Path.Combine(Folder, "node_modules", "@mtcute", "node"))
            && !ToolTheoryAttribute.NothingMaySkip)
            Skip = "mtcute is not installed: run tests/install-tools, then this test connects through the proxy with a second real client";
    }
}
