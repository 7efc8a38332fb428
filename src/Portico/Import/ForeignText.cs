using System.Globalization;
using System.Net;
using Portico.Core.Options;
using Portico.Import.Reading;
using Portico.Protocol.Secrets;

namespace Portico.Import;

/// <summary>Texts that several proxies write alike, checked; what is wrong is told to the conversion.</summary>
internal static class ForeignText
{
    private const int Digits = 2 * ProxySecret.Length;

    /// <summary>A secret of 32 hexadecimal digits, perhaps with the mark of a link in front; null after an error.</summary>
    public static string? Secret(this Conversion conversion, ForeignValue value, string key)
    {
        if (conversion.Text(value, key) is not { } text) return null;
        var plain = text.Length == Digits + 2 && text[..2].ToLowerInvariant() is "dd" or "ee" ? text[2..] : text;
        return conversion.Key(plain, text.Length, value.Line, key, "a secret");
    }

    /// <summary>An ad tag; null where there is none, or after an error.</summary>
    public static string? AdTag(this Conversion conversion, ForeignValue value, string key) =>
        conversion.Text(value, key) is { Length: > 0 } text ? conversion.Key(text, text.Length, value.Line, key, "an ad tag") : null;

    /// <summary>A host name that can stand in fake-TLS links; null after an error.</summary>
    public static string? Domain(this Conversion conversion, string text, int line, string key)
    {
        if (DomainName.Problem(text) is not { } problem) return text;
        conversion.Fail(line, key, problem);
        return null;
    }

    /// <summary>The same of a value.</summary>
    public static string? Domain(this Conversion conversion, ForeignValue value, string key) =>
        conversion.Text(value, key) is { } text ? conversion.Domain(text, value.Line, key) : null;

    /// <summary>An address to listen on; null after an error.</summary>
    public static string? Address(this Conversion conversion, string text, int line, string key)
    {
        if (IPAddress.TryParse(text, out _)) return text;
        conversion.Fail(line, key, $"{ShownText.Quote(text)} is not an IP address");
        return null;
    }

    /// <summary>The same of a value.</summary>
    public static string? Address(this Conversion conversion, ForeignValue value, string key) =>
        conversion.Text(value, key) is { } text ? conversion.Address(text, value.Line, key) : null;

    /// <summary>"host:port", as covers are written.</summary>
    public static string HostAndPort(string host, long port)
    {
        var brackets = host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[');
        return string.Create(CultureInfo.InvariantCulture, $"{(brackets ? $"[{host}]" : host)}:{port}");
    }

    /// <summary>An address with a port, as in "0.0.0.0:443" or ":443"; null if it is none.</summary>
    public static (string Address, int Port)? Endpoint(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > ushort.MaxValue)
            return null;
        var host = text[..colon].Trim('[', ']');
        return host.Length == 0 ? ("::", port) : IPAddress.TryParse(host, out _) ? (host, port) : null;
    }

    /// <summary>Words of a list.</summary>
    public static IEnumerable<ForeignValue> ItemsOf(ForeignValue value) =>
        value.Kind is ForeignKind.List or ForeignKind.Tuple ? value.Items : [value];

    /// <summary>Whether it is 32 hexadecimal digits.</summary>
    public static bool IsKey(string text) => text.Length == Digits && text.All(char.IsAsciiHexDigit);

    private static string? Key(this Conversion conversion, string digits, int length, int line, string key, string what)
    {
        if (IsKey(digits)) return digits.ToLowerInvariant();
        conversion.Fail(
            line, key, $"must be {what} of {Digits} hexadecimal digits; this has {length} characters, or one that is no such digit");
        return null;
    }
}
