using System.Globalization;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>Paths as errors show them: <c>listeners[0].secret</c>.</summary>
internal static class KeyPath
{
    /// <summary>
    /// The path of <paramref name="key"/> inside <paramref name="parent"/>.
    /// The key is the operator's text, so what could be a secret is blotted out.
    /// </summary>
    public static string Of(string parent, string key) =>
        parent.Length == 0 ? ShownText.WithoutSecrets(key) : $"{parent}.{ShownText.WithoutSecrets(key)}";

    /// <summary>The path of an element of the list <paramref name="parent"/>.</summary>
    public static string Of(string parent, int index) => string.Create(CultureInfo.InvariantCulture, $"{parent}[{index}]");

    /// <summary>Whether <paramref name="path"/> is <paramref name="ancestor"/> or below it.</summary>
    public static bool IsWithin(string path, string ancestor) =>
        path.StartsWith(ancestor, StringComparison.Ordinal) && (path.Length == ancestor.Length || path[ancestor.Length] is '.' or '[');
}
