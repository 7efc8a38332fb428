using System.Text.Json;
using System.Text.RegularExpressions;

namespace Portico.Core.Options;

/// <summary>How errors quote what the operator wrote.</summary>
public static partial class ShownText
{
    private const int Longest = 80;

    /// <summary>
    /// The text as JSON, shortened, with everything blotted out that could be a secret:
    /// people paste secrets into the wrong key, and errors end up in logs.
    /// </summary>
    public static string Quote(string text)
    {
        var shown = WithoutSecrets(text);
        if (shown.Length > Longest) shown = string.Concat(shown.AsSpan(0, Longest), "…");
        return $"\"{JsonEncodedText.Encode(shown, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
    }

    /// <summary>Replaces every run of characters that is long enough to be a secret in hexadecimal or base64.</summary>
    public static string WithoutSecrets(string text) => PossibleSecret().Replace(text, "[hidden]");

    // 16 bytes are 22 characters of base64url; the digit spares ordinary words and paths.
    [GeneratedRegex("(?=[A-Za-z_+/=-]*[0-9])[0-9A-Za-z_+/=-]{22,}", RegexOptions.CultureInvariant)]
    private static partial Regex PossibleSecret();
}
