using System.Text.RegularExpressions;

namespace Portico.Core.Options;

/// <summary>A name that can be a label in logs and metrics: 1 to 64 letters, digits, dots, dashes or underscores.</summary>
internal static partial class NameLabel
{
    /// <summary>Whether <paramref name="text"/> is one. Points alone are a way upwards where it stands in a path.</summary>
    public static bool IsOne(string text) => Form().IsMatch(text) && text is not ("." or "..");

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
