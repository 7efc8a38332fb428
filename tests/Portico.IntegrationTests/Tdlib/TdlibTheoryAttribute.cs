using Xunit;

namespace Portico.IntegrationTests.Tdlib;

/// <summary>
/// A test that needs TDLib, and perhaps programs too: skipped with the reason where it
/// is not installed, unless PORTICO_REQUIRE_TOOLS=1 says that nothing may be skipped.
/// </summary>
public sealed class TdlibTheoryAttribute : TheoryAttribute
{
    public TdlibTheoryAttribute(params string[] programs)
    {
        Skip = ToolTheoryAttribute.Reason(programs);
        if (!TdJson.IsInstalled && !ToolTheoryAttribute.NothingMaySkip)
            Skip = "TDLib is not installed: run tests/install-tools (Linux on x64 with glibc), "
                + "then this test pings through the proxy with a real client";
    }
}
