using System.CommandLine;
using Microsoft.Extensions.Logging;
using Portico.Hosting;

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

    /// <summary>When QR codes are drawn; the option alone means always.</summary>
    public static Option<string> Qr(string standard) => new Option<string>("--qr")
    {
        Description = "Draw a QR code of each tg:// link: always, never, or auto, "
            + $"on a terminal that can show one. Without it: {standard}; alone: always.",
        HelpName = "WHEN",
        Arity = ArgumentArity.ZeroOrOne,
        DefaultValueFactory = _ => standard,
    }.AcceptOnlyFromAmong("auto", "always", "never");

    /// <summary>What <see cref="Qr"/> says.</summary>
    public static bool WantsQr(ParseResult parsed, Option<string> qr, Terminal? terminal) => WhenOf(parsed, qr) switch
    {
        "always" => true,
        "never" => false,
        _ => terminal is { Blocks: true },
    };

    private static string? WhenOf(ParseResult parsed, Option<string> qr) =>
        parsed.GetResult(qr) is { Implicit: false, Tokens.Count: 0 } ? "always" : parsed.GetValue(qr);

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
