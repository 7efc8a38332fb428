using Portico.TestKit;

namespace Portico.IntegrationTests.Packages;

/// <summary>The unit that the packages install.</summary>
internal static class ServiceUnit
{
    /// <summary>Where it is.</summary>
    public static string Path { get; } = InFolder("portico.service");

    /// <summary>The socket beside it.</summary>
    public static string SocketPath { get; } = InFolder("portico.socket");

    /// <summary>Where the packages put the program.</summary>
    public const string Program = "/usr/bin/portico";

    /// <summary>The values of <paramref name="key"/>, in the order in which they stand there.</summary>
    public static string[] Values(string key) =>
        [.. File.ReadLines(Path).Select(line => line.Split('=', 2)).Where(line => line[0] == key && line.Length == 2)
            .Select(line => line[1])];

    private static string InFolder(string file) => System.IO.Path.Combine(RepositoryRoot.Path, "deploy", "systemd", file);
}
