using System.Diagnostics;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Docs;

/// <summary>
/// A test that changes the firewall of a network of its own (a network namespace, gone with its process):
/// skipped with the reason where a program is missing or this machine lets nobody have such a network, as many containers do,
/// unless PORTICO_REQUIRE_TOOLS=1 says that nothing may be skipped.
/// </summary>
internal sealed class OwnNetworkFactAttribute : FactAttribute
{
    /// <summary>Runs a program as root of a network that nobody else is in.</summary>
    public const string Unshare = "unshare";

    public OwnNetworkFactAttribute(params string[] programs)
    {
        Skip = ToolTheoryAttribute.Reason([Unshare, .. programs])
            ?? (ToolTheoryAttribute.NothingMaySkip || IsAllowed()
                ? null
                : "this machine lets nobody make a network of their own (unshare --net)");
    }

    /// <summary>What <see cref="Unshare"/> is told before the program.</summary>
    public static string[] Arguments { get; } = ["--map-root-user", "--net"];

    private static bool IsAllowed()
    {
        var start = new ProcessStartInfo(Programs.Get(Unshare), [.. Arguments, "true"]) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
