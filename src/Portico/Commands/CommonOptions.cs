using System.CommandLine;
using Microsoft.Extensions.Logging;

namespace Portico.Commands;

/// <summary>Options that every command understands.</summary>
internal sealed class CommonOptions
{
    private const string DefaultLevel = "info";

    /// <summary>The configuration file; null = look for it.</summary>
    public Option<string?> Config { get; } = new("--config", "-c")
    {
        Description = $"The configuration file. Without it: {Configuration.ConfigurationFile.Places}, the first that exists.",
        HelpName = "FILE",
        Recursive = true,
    };

    /// <summary>The least important messages that are shown.</summary>
    public Option<string> LogLevel { get; } = new Option<string>("--log-level")
    {
        Description = "trace, debug, info, warn or error. Without it: PORTICO_LOG_LEVEL, else info.",
        HelpName = "LEVEL",
        Recursive = true,
    }.AcceptOnlyFromAmong(Levels);

    /// <summary>How messages look.</summary>
    public Option<string> LogFormat { get; } = new Option<string>("--log-format")
    {
        Description = "text or json.",
        HelpName = "FORMAT",
        Recursive = true,
        DefaultValueFactory = _ => "text",
    }.AcceptOnlyFromAmong("text", "json");

    private static string[] Levels => ["trace", "debug", "info", "warn", "error"];

    /// <summary>Makes the options known to <paramref name="root"/> and every command below it.</summary>
    public void AddTo(RootCommand root)
    {
        root.Add(Config);
        root.Add(LogLevel);
        root.Add(LogFormat);
    }

    /// <summary>The level asked for.</summary>
    /// <exception cref="CommandFailure">The environment variable holds something else.</exception>
    public LogLevel LevelOf(ParseResult parsed)
    {
        var variable = Environment.GetEnvironmentVariable("PORTICO_LOG_LEVEL");
        var name = parsed.GetValue(LogLevel) ?? (string.IsNullOrEmpty(variable) ? DefaultLevel : variable);
        return name switch
        {
            "trace" => Microsoft.Extensions.Logging.LogLevel.Trace,
            "debug" => Microsoft.Extensions.Logging.LogLevel.Debug,
            "info" => Microsoft.Extensions.Logging.LogLevel.Information,
            "warn" => Microsoft.Extensions.Logging.LogLevel.Warning,
            "error" => Microsoft.Extensions.Logging.LogLevel.Error,
            _ => throw new CommandFailure(ExitCode.BadConfiguration, $"PORTICO_LOG_LEVEL must be one of {string.Join(", ", Levels)}"),
        };
    }
}
