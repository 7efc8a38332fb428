using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portico.Core.Control;

namespace Portico.Admin;

/// <summary>What the interface needs of the program that runs the proxy.</summary>
public sealed record AdminHost
{
    /// <summary>The proxy.</summary>
    public required ProxyControl Control { get; init; }

    /// <summary>Of the program.</summary>
    public required string Version { get; init; }

    /// <summary>Where lines go; those of the web server at debug.</summary>
    public required ILoggerFactory Loggers { get; init; }

    /// <summary>The configuration in force as JSON, without secrets.</summary>
    public required Func<string> Configuration { get; init; }

    /// <summary>Reads the configuration again, for a cause that the log names; null = this proxy has none to read.</summary>
    public Func<string, Task<ReloadOutcome>>? Reload { get; init; }

    /// <summary>Starts the program anew, which takes over, for a cause that the log names; null = nobody can.</summary>
    public Func<string, Task<UpgradeOutcome>>? Upgrade { get; init; }

    /// <summary>Looks at everything that can keep clients out, and answers as JSON; null = nobody can.</summary>
    public Func<CancellationToken, Task<string>>? Doctor { get; init; }

    /// <summary>The links of a user, by name; null = this program prints none.</summary>
    public Func<string, ImmutableArray<UserLink>>? Links { get; init; }

    /// <summary>Changes for a time what is logged; null = that is not this program's to say.</summary>
    public LogLevelSwitch? LogLevel { get; init; }
}

/// <summary>A link to share.</summary>
/// <param name="Listener">Where it leads.</param>
/// <param name="Protocol">fake-tls, secure, classic, web or web-classic.</param>
/// <param name="Tg">Opens the app.</param>
/// <param name="TMe">Opens a page that offers to open the app.</param>
public sealed record UserLink(string Listener, string Protocol, string Tg, string TMe)
{
    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{Listener}, {Protocol}";
}

/// <summary>Changes for a time what is logged, and falls back by itself.</summary>
/// <param name="category">The beginning of a category's name, or a folder of Core such as <c>cover</c>; null = everything.</param>
/// <param name="level">The least that is written.</param>
/// <param name="duration">For how long.</param>
/// <returns>The level before; null if there is no such category.</returns>
public delegate LogLevel? LogLevelSwitch(string? category, LogLevel level, TimeSpan duration);
