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

    /// <summary>The places that are tried without <c>--config</c>, for messages.</summary>
    public const string Places = $"PORTICO_CONFIG, ./{Name}, {SystemPath}";

    /// <summary>Where relative paths in the configuration start.</summary>
    public string Directory => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>The file that was named, else the first that exists, else the place where a first start writes one.</summary>
    public static ConfigurationFile Find(string? named)
    {
        var chosen = NullIfEmpty(named) ?? NullIfEmpty(Environment.GetEnvironmentVariable("PORTICO_CONFIG"));
        var path = chosen ?? (!File.Exists(Name) && File.Exists(SystemPath) ? SystemPath : Name);
        path = System.IO.Path.GetFullPath(path);
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

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
