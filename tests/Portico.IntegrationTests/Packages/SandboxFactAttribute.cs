using System.Diagnostics;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Packages;

/// <summary>
/// A test of the native binary in a sandbox: skipped where there is no binary (`./check` publishes one), or, unless
/// PORTICO_REQUIRE_TOOLS=1 says that nothing may be skipped, no bubblewrap, or this machine lets nobody have a sandbox.
/// </summary>
internal sealed class SandboxFactAttribute : FactAttribute
{
    public SandboxFactAttribute()
    {
        Skip = PorticoExecutable.Native is null
            ? "PORTICO_EXECUTABLE names no native binary; ./check publishes one"
            : ToolTheoryAttribute.Reason([Sandbox.Program])
                ?? (ToolTheoryAttribute.NothingMaySkip || (SystemCallRules.AreKnown && IsAllowed())
                    ? null
                    : "this machine lets nobody make a sandbox (bwrap --unshare-user)");
    }

    private static bool IsAllowed()
    {
        var start = new ProcessStartInfo(Programs.Get(Sandbox.Program), ["--unshare-user", "--ro-bind", "/", "/", "true"])
        {
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
