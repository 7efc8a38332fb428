using System.Text.RegularExpressions;
using Portico.TestKit;

namespace Portico.IntegrationTests.Docs;

/// <summary>What README.md, and docs/ beside it, give operators to copy, as it stands there.</summary>
internal static partial class ReadmeExamples
{
    private static readonly string Text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "README.md"));

    /// <summary>The server block of the cover.</summary>
    public static string Nginx => Block("nginx");

    /// <summary>The server block of docs/web-proxy.md, in front of a WEB host.</summary>
    public static string WebNginx => Blocks().Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs/web-proxy.md")))
        .Single(block => block.Groups["language"].Value == "nginx").Groups["text"].Value;

    /// <summary>The key of `portico.json` that leads to it.</summary>
    public static string Cover => Block("json", "\"cover\"");

    /// <summary>The key of a listener behind a balancer.</summary>
    public static string Balancer => Block("json", "\"proxyProtocol\"");

    /// <summary>The command after `sudo` that begins with <paramref name="start"/>.</summary>
    public static string Root(string start) =>
        Commands().Matches(Text).Select(match => match.Groups["command"].Value.ReplaceLineEndings(" "))
            .Single(command => command.StartsWith(start, StringComparison.Ordinal));

    /// <summary>Puts what is true in a test in place of what is true on a server; an example without it is another example.</summary>
    public static string With(this string example, string there, string here) =>
        example.Contains(there, StringComparison.Ordinal)
            ? example.Replace(there, here, StringComparison.Ordinal)
            : throw new InvalidOperationException($"The document does not have {there} any more where this test replaces it:\n{example}");

    private static string Block(string language, string start = "") =>
        Blocks().Matches(Text)
            .Where(block => block.Groups["language"].Value == language)
            .Select(block => block.Groups["text"].Value)
            .Single(text => text.StartsWith(start, StringComparison.Ordinal));

    [GeneratedRegex("^```(?<language>[a-z]+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();

    [GeneratedRegex("`sudo (?<command>[^`]+)`")]
    private static partial Regex Commands();
}
