using System.Text.RegularExpressions;
using Portico.TestKit;

namespace Portico.IntegrationTests.Docs;

/// <summary>What README.md gives operators to copy, as it stands there.</summary>
internal static partial class ReadmeExamples
{
    private const string Readme = "README.md";

    private static readonly string Text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, Readme));

    /// <summary>The server block of the cover.</summary>
    public static string Nginx => Block("nginx");

    /// <summary>The key of `portico.json` that leads to it.</summary>
    public static string Cover => Block("json", "\"cover\"");

    /// <summary>The key of a listener behind a balancer.</summary>
    public static string Balancer => Block("json", "\"proxyProtocol\"");

    /// <summary>The command after `sudo` that begins with <paramref name="start"/>.</summary>
    public static string Root(string start) =>
        Commands().Matches(Text).Select(match => match.Groups["command"].Value.ReplaceLineEndings(" "))
            .Single(command => command.StartsWith(start, StringComparison.Ordinal));

    private static string Block(string language, string start = "") => DocumentExamples.Block(Readme, language, start);

    [GeneratedRegex("`sudo (?<command>[^`]+)`")]
    private static partial Regex Commands();
}
