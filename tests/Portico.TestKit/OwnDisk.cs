using System.Diagnostics;
using Portico.TestKit.Covers;

namespace Portico.TestKit;

/// <summary>A small disk in memory, in mounts of a command's own: gone with it.</summary>
public static class OwnDisk
{
    private const string Program = "unshare";

    /// <summary>Why a test that needs one is skipped here; null = it need not be.</summary>
    public static string? WhyNot { get; } =
        Environment.GetEnvironmentVariable("PORTICO_REQUIRE_TOOLS") == "1" || IsAllowed()
            ? null
            : "this machine lets nobody mount a disk of their own (unshare --mount)";

    /// <summary>Runs a command on a disk of some megabytes, which is mounted at a directory.</summary>
    public static string[] Command(string directory, int megabytes, string[] command) =>
    [
        Program, "--map-root-user", "--mount", "sh", "-c",
        $"mount -t tmpfs -o size={megabytes}m tmpfs \"$0\" && exec \"$@\"", directory, .. command,
    ];

    private static bool IsAllowed()
    {
        if (Programs.Find(Program) is null) return false;
        var command = Command("/mnt", 1, ["true"]);
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
