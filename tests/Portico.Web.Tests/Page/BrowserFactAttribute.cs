using Portico.TestKit.Covers;
using Xunit;

namespace Portico.Web.Tests.Page;

/// <summary>
/// A test in a real browser: skipped by name where there is none, unless PORTICO_REQUIRE_TOOLS=1 says that nothing may be skipped.
/// </summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = BrowserTheoryAttribute.Reason;
}

/// <summary>The same with several cases.</summary>
public sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute() => Skip = Reason;

    internal static string? Reason { get; } =
        Programs.Find(Browsers.Program) is not null || Environment.GetEnvironmentVariable("PORTICO_REQUIRE_TOOLS") == "1"
            ? null
            : $"not installed: {Browsers.Program}. Run tests/install-tools, then this test opens the page in it";
}
