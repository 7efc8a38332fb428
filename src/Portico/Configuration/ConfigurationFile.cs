using System.Collections.Immutable;
using Portico.Commands;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>Where the configuration is.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Exists">Whether there is a file.</param>
/// <param name="IsNamed">Whether the operator named it; else it is where such a file is looked for.</param>
internal sealed record ConfigurationFile(string Path, bool Exists, bool IsNamed)
{
    private const string Name = "portico.json";
    private const string SystemPath = "/etc/portico/portico.json";

    // What the service of the packages wrote at its first start: whoever asks for its links or its state need not name it.
    private const string ServicePath = "/var/lib/portico/portico.json";

    // Where systemd says that a service may keep things (StateDirectory=); several are parted by colons.
    private const string StateDirectory = "STATE_DIRECTORY";

    /// <summary>The places that are tried without <c>--config</c>, for messages.</summary>
    public const string Places = $"PORTICO_CONFIG, ./{Name}, {SystemPath}, {ServicePath}";

    /// <summary>Where the service of the packages has its <c>admin.socket</c>, whatever its configuration says.</summary>
    public const string ServiceSocket = "/run/portico/admin.sock";

    /// <summary>
    /// Where the proxy that runs with this file may be asked: at <paramref name="sockets"/>, which follow from what it says, and where
    /// nobody named a file and it is the service's, at the service's.
    /// </summary>
    public ImmutableArray<string> SocketsToAsk(ImmutableArray<string> sockets) =>
        !IsNamed && Exists && (Path is SystemPath or ServicePath) ? sockets.Add(ServiceSocket) : sockets;

    /// <summary>Where relative paths in the configuration start.</summary>
    public string Directory => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>The file that was named, else the first that exists, else the place where a first start writes one.</summary>
    /// <param name="named">What the operator named; null = nothing.</param>
    /// <param name="isForRun">
    /// A proxy is to run with it: then the service's file counts for the service alone. Somebody else, root most of all, would leave files
    /// in its directory that it cannot open afterwards.
    /// </param>
    public static ConfigurationFile Find(string? named, bool isForRun = false)
    {
        var chosen = NullIfEmpty(named) ?? NullIfEmpty(Environment.GetEnvironmentVariable("PORTICO_CONFIG"));
        var found = chosen ?? FirstThatExists(isForRun) ?? System.IO.Path.Combine(PlaceForANewOne(), Name);
        var path = System.IO.Path.GetFullPath(found);
        if (System.IO.Directory.Exists(path))
            throw new CommandFailure(
                ExitCode.Failed,
                $"{path} is a directory; name the file in it, for example --config {System.IO.Path.Combine(path, Name)}");
        return new(path, File.Exists(path), chosen is not null);
    }

    /// <summary>The text of the file.</summary>
    /// <exception cref="CommandFailure">It cannot be read.</exception>
    public string Read() => FileFailure.Guard(
        () => File.ReadAllText(Path), "read", Path, "give this user the right to read it, or name another file with --config");

    /// <summary>What is unwise about the file itself; null = nothing, or it is not there now.</summary>
    public ConfigurationError? Warning() =>
        !OperatingSystem.IsWindows() && File.Exists(Path) && (File.GetUnixFileMode(Path) & UnixFileMode.OtherRead) != 0
            ? new("(file)", $"every user of this machine can read the secrets in {Path}; `chmod o-r {Path}` mends that")
            : null;

    private static string? FirstThatExists(bool isForRun)
    {
        string[] places = isForRun ? [Name, SystemPath, System.IO.Path.Combine(PlaceForANewOne(), Name)] : [Name, SystemPath, ServicePath];
        return places.FirstOrDefault(File.Exists);
    }

    private static string PlaceForANewOne() =>
        Environment.GetEnvironmentVariable(StateDirectory)?.Split(':')[0] is { Length: > 0 } state ? state : ".";

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
