using System.Diagnostics;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.Storage.Tests.Children;

/// <summary>
/// A test on a small disk of its own, in memory and gone with its process: skipped where this machine lets nobody have one, unless
/// PORTICO_REQUIRE_TOOLS=1 says that nothing may be skipped.
/// </summary>
internal sealed class OwnDiskFactAttribute : FactAttribute
{
    public OwnDiskFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("PORTICO_REQUIRE_TOOLS") != "1" && !IsAllowed())
            Skip = "this machine lets nobody mount a disk of their own (unshare --mount)";
    }

    /// <summary>Runs a command on a disk of some megabytes, which is mounted at a directory.</summary>
    public static string[] Command(string directory, int megabytes, string[] command) =>
    [
        "unshare", "--map-root-user", "--mount", "sh", "-c",
        $"mount -t tmpfs -o size={megabytes}m tmpfs \"$0\" && exec \"$@\"", directory, .. command,
    ];

    private static bool IsAllowed()
    {
        if (Programs.Find("unshare") is null) return false;
        var command = Command("/mnt", 1, ["true"]);
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
