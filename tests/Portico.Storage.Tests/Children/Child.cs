using System.Diagnostics;

namespace Portico.Storage.Tests.Children;

/// <summary>Starts this assembly as a program.</summary>
internal static class Child
{
    public static string[] Command(string verb, string directory) =>
        [Environment.ProcessPath is { } host && IsHost(host) ? host : "dotnet", typeof(Child).Assembly.Location, verb, directory];

    public static Process Start(params string[] command) =>
        Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;

    private static bool IsHost(string path) => Path.GetFileNameWithoutExtension(path) == "dotnet";
}
