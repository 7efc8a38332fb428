using System.Buffers;
using System.Globalization;
using System.Text;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// The host of a WEB proxy as apps store it: lower-case ASCII (RFC 5890 A-labels), at least one dot, none at the end. Capabilities are
/// computed from exactly these characters, so a server that stored another spelling would know nobody.
/// </summary>
internal static class WebHost
{
    // RFC 1035, sections 2.3.1 and 2.3.4, as text.
    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

    private const string Expected = "expected a name like proxy.example.com";

    private static readonly SearchValues<char> LabelCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
    private static readonly SearchValues<char> Delimiters = SearchValues.Create(":/?#@");
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789");
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private static readonly IdnMapping Idn = new();

    /// <summary>What an app makes of a host that somebody typed.</summary>
    /// <param name="typed">Any text; white space around it does not count.</param>
    /// <param name="stored">What it stores; empty where it refuses.</param>
    /// <param name="error">A sentence that says what is wrong; empty when all is well.</param>
    public static bool TryRead(string typed, out string stored, out string error)
    {
        stored = "";
        var text = typed.Trim();
        error = text.Length == 0 ? $"The WEB host is empty: {Expected}."
            : text.AsSpan().ContainsAny(Delimiters)
                ? $"The WEB host is a name alone, without scheme, port, user or path (the port is always 443): {Expected}."
            : text.EndsWith('.') ? "The WEB host ends in a dot, which apps refuse: leave it out."
            : "";
        if (error.Length > 0)
            return false;

        var name = text.ToLowerInvariant();
        if (!Ascii.IsValid(name) && !TryMap(name, out name))
        {
            error = "The WEB host has characters that apps do not all read alike: write the name in its xn-- form.";
            return false;
        }

        error = Complaint(name);
        if (error.Length > 0)
            return false;
        stored = name;
        return true;
    }

    /// <summary>Whether a host is written as apps store it.</summary>
    /// <param name="host">What the configuration says.</param>
    /// <param name="error">A sentence that names what to write instead; empty when all is well.</param>
    public static bool IsStored(string host, out string error)
    {
        if (!TryRead(host, out var stored, out error))
            return false;
        if (stored == host)
            return true;
        error = $"The WEB host must be written as apps store it: {stored}.";
        return false;
    }

    private static string Complaint(string name)
    {
        if (name.Length > MaxLength)
            return $"The WEB host has {name.Length} characters, a name has at most {MaxLength}.";
        foreach (var range in name.AsSpan().Split('.'))
        {
            var label = name.AsSpan()[range];
            if (label.IsEmpty)
                return $"The WEB host has a dot with nothing in front of it: {Expected}.";
            if (label.Length > MaxLabelLength)
                return $"The WEB host has {label.Length} characters between two dots, {MaxLabelLength} are allowed.";
            if (label.ContainsAnyExcept(LabelCharacters) || label[0] == '-' || label[^1] == '-')
                return $"The WEB host has a part that is not letters, digits and inner hyphens: {Expected}.";
        }

        var last = name.AsSpan(name.LastIndexOf('.') + 1);
        if (IsNumber(last))
            return $"The WEB host is an IP address or ends in a number, which apps refuse: {Expected}.";
        return last.Length == name.Length ? $"The WEB host has no dot, and apps refuse such names: {Expected}." : "";
    }

    // As browsers decide what is an IPv4 address (127.1, 0x7f.1).
    private static bool IsNumber(ReadOnlySpan<char> label) =>
        label.StartsWith("0x") ? !label[2..].ContainsAnyExcept(HexDigits) : !label.ContainsAnyExcept(Digits);

    // Without tables for normalisation, only letters that need none and that every version of IDNA maps to themselves.
    // Missing on purpose: sharp s, final sigma and the joiners, of which builds of the desktop app make two different names.
    private static bool TryMap(string name, out string mapped)
    {
        mapped = name;
        foreach (var letter in name)
            if (!char.IsAscii(letter) && !IsMappedAlike(letter))
                return false;

        try
        {
            mapped = Idn.GetAscii(name);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static bool IsMappedAlike(char letter) => letter is
        (>= '\u00e0' and <= '\u00ff' and not '\u00f7')                                      // Latin-1 but the division sign
        or (>= '\u0101' and <= '\u017e' and not ('\u0133' or '\u0138' or '\u0140' or '\u0149'))  // Latin A but ligatures
        or (>= '\u03ac' and <= '\u03ce' and not '\u03c2')                                   // Greek
        or (>= '\u0430' and <= '\u045f')                                                    // Cyrillic
        or (>= '\u05d0' and <= '\u05ea') or (>= '\u0621' and <= '\u063a') or (>= '\u0641' and <= '\u064a') // Hebrew, Arabic
        or (>= '\u3041' and <= '\u3094') or (>= '\u30a1' and <= '\u30fa')                   // kana
        or (>= '\u4e00' and <= '\u9fa5') or (>= '\uac00' and <= '\ud7a3');                  // Han, Hangul
}
