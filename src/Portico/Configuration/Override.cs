using System.Collections;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>One value that replaces what the file says.</summary>
/// <param name="Segments">The way to the key: names, and positions in lists.</param>
/// <param name="Text">The value as text; a list of texts is parted by commas.</param>
/// <param name="Origin">Where it was set, for errors: a flag or an environment variable.</param>
internal sealed record Override(string[] Segments, string Text, string Origin)
{
    private const string Prefix = "PORTICO__";

    /// <summary>Everything but the value, which may be a secret.</summary>
    public override string ToString() => $"{string.Join('.', Segments)} from {Origin}";

    /// <summary>The name of the environment variable that sets a key.</summary>
    public static string VariableOf(IEnumerable<string> segments) => Prefix + string.Join("__", segments);

    /// <summary>The overrides in the environment of this process.</summary>
    public static IEnumerable<Override> FromEnvironment() =>
        From(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(variable => KeyValuePair.Create((string)variable.Key, (string?)variable.Value)));

    /// <summary>
    /// The overrides among environment variables: <c>PORTICO__Section__Key</c>.
    /// Empty ones count as not set. Lower positions in lists come first, so that lists can be built up.
    /// </summary>
    public static IEnumerable<Override> From(IEnumerable<KeyValuePair<string, string?>> variables) =>
        variables
            .Where(variable => variable.Key.StartsWith(Prefix, StringComparison.Ordinal) && !string.IsNullOrEmpty(variable.Value))
            .Select(variable => (variable.Value, Segments: variable.Key[Prefix.Length..].Split("__")))
            .Select(variable => new Override(
                variable.Segments,
                variable.Value!,
                VariableOf(variable.Segments.Select(ShownText.WithoutSecrets)))) // even a name may hold one by mistake
            .OrderBy(SortKey, StringComparer.Ordinal);

    // Position 2 comes before 10.
    private static string SortKey(Override wanted) =>
        string.Join('\0', wanted.Segments.Select(segment => segment.PadLeft(10, '0')));
}
