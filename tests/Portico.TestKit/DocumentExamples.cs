using System.Text.RegularExpressions;

namespace Portico.TestKit;

/// <summary>What README.md and docs/ give operators to copy, as it stands there.</summary>
public static partial class DocumentExamples
{
    /// <summary>The one block of a language in a document that begins so.</summary>
    /// <param name="document">Its path in the repository.</param>
    /// <param name="language">As behind its fence.</param>
    /// <param name="start">Its first characters.</param>
    public static string Block(string document, string language, string start = "") =>
        Blocks().Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Path, document)))
            .Where(block => block.Groups["language"].Value == language)
            .Select(block => block.Groups["text"].Value)
            .Single(text => text.StartsWith(start, StringComparison.Ordinal));

    /// <summary>Puts what is true in a test in place of what is true on a server; an example without it is another example.</summary>
    public static string With(this string example, string there, string here) =>
        example.Contains(there, StringComparison.Ordinal)
            ? example.Replace(there, here, StringComparison.Ordinal)
            : throw new InvalidOperationException($"The document does not have {there} any more where this test replaces it:\n{example}");

    [GeneratedRegex("^```(?<language>[a-z]+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
