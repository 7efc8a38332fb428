using Portico.Configuration;
using Portico.Core.Options;

namespace Portico.Commands;

/// <summary>Gets a configuration for a command, or ends the command with everything that is wrong with it.</summary>
internal static class ConfigurationReport
{
    /// <summary>Reads the file that <c>--config</c>, the environment or the usual places name.</summary>
    /// <exception cref="CommandFailure">There is none, it cannot be read, or it is wrong.</exception>
    public static (LoadedConfiguration Loaded, ConfigurationFile File) Need(string? named)
    {
        var file = ConfigurationFile.Find(named);
        if (!file.Exists)
        {
            throw file.IsNamed
                ? Missing(file)
                : new CommandFailure(
                    ExitCode.BadConfiguration,
                    $"no configuration found ({ConfigurationFile.Places}); `portico run` writes one, or name one with --config");
        }

        return (Check(LoadedConfiguration.Load(file.Read(), file.Directory, Override.FromEnvironment()), file.Path), file);
    }

    /// <summary>A file that was named is not there. Making a new proxy of a mistyped path would lock every client out.</summary>
    public static CommandFailure Missing(ConfigurationFile file) => new(
        ExitCode.BadConfiguration,
        $"there is no {file.Path}; `portico run --init --config {file.Path}` would write a new one, with a fresh secret");

    /// <summary>Ends the command if anything is wrong.</summary>
    /// <exception cref="CommandFailure">With one line per error.</exception>
    public static LoadedConfiguration Check(LoadedConfiguration loaded, string path)
    {
        if (loaded.Errors.Count == 0) return loaded;
        throw Wrong(path, loaded.Errors);
    }

    /// <summary>A file that is wrong, as the end of a command: a line for each error.</summary>
    public static CommandFailure Wrong(string path, IReadOnlyCollection<object> errors) => new(
        ExitCode.BadConfiguration,
        string.Join("\n  ", errors.Prepend($"{path}: {(errors.Count == 1 ? "1 error" : $"{errors.Count} errors")}")));

    /// <summary>The settings of a configuration that passed <see cref="Check"/>.</summary>
    public static ProxySettings SettingsOf(LoadedConfiguration loaded) =>
        loaded.Settings ?? throw new InvalidOperationException("a configuration without errors has settings");
}
