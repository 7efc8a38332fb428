using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Portico.Protocol.Secrets;

/// <summary>
/// Links that add a proxy to a client (spec/01 section 5):
/// <c>tg://proxy?server=HOST&amp;port=PORT&amp;secret=SECRET</c> and the same behind https://t.me/.
/// </summary>
public static class ProxyLink
{
    private const string TgStart = "tg://proxy?";
    private const string TMeStart = "https://t.me/proxy?";

    // RFC 1035, section 2.3.4, as text.
    private const int MostOfName = 253;

    private static readonly string[] SchemesOfSite = ["https://", "http://", ""];
    private static readonly string[] Sites = ["t.me", "www.t.me", "telegram.me", "www.telegram.me", "telegram.dog", "www.telegram.dog"];

    /// <summary>A link that opens the app directly.</summary>
    /// <param name="host">A name, an IPv4 address or an IPv6 address; brackets around the last are removed.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="secretText">One of the forms of <see cref="SecretText"/>.</param>
    public static string Tg(string host, int port, string secretText) => TgStart + Query(host, port, secretText);

    /// <summary>A link that opens a page offering to open the app.</summary>
    /// <inheritdoc cref="Tg"/>
    public static string TMe(string host, int port, string secretText) => TMeStart + Query(host, port, secretText);

    /// <summary>
    /// Reads either form, in any order of parameters, with or without the scheme of the site, and as it stands in the source of a web page.
    /// </summary>
    /// <param name="link">What the user pasted.</param>
    /// <param name="host">A name or an address without brackets.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="secret">The secret.</param>
    /// <param name="error">A sentence for the user, without the secret; empty when all is well.</param>
    public static bool TryParse(string link, out string host, out int port, [NotNullWhen(true)] out ParsedSecret? secret, out string error)
    {
        (host, port, secret) = ("", 0, null);
        if (!TryFindQuery(link.Trim(), "proxy", out var query))
        {
            error = $"This is not a proxy link: expected {TgStart}server=...&port=...&secret=... or {TMeStart}...";
            return false;
        }

        host = WithoutBrackets(Parameter(query, "server"));
        // An address with a zone means something on one machine only, and the framework takes anything for a zone.
        if (host.Contains('%', StringComparison.Ordinal) || host.Length > MostOfName || Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            error = "The link's server is missing, or neither a host name nor an IP address.";
            return false;
        }

        if (!int.TryParse(Parameter(query, "port"), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)
        {
            error = "The link's port is missing, or not a number from 1 to 65535.";
            return false;
        }

        return SecretText.TryParse(Parameter(query, "secret"), out secret, out error);
    }

    private static string Query(string host, int port, string secretText) =>
        string.Create(CultureInfo.InvariantCulture, $"server={WithoutBrackets(host)}&port={port}&secret={secretText}");

    private static string WithoutBrackets(string host) => host is ['[', .. var address, ']'] ? address : host;

    /// <summary>What stands behind the question mark of a link to one of the site's pages.</summary>
    /// <param name="link">Without white space around it.</param>
    /// <param name="page">The page's name, without a slash.</param>
    /// <param name="query">The parameters.</param>
    internal static bool TryFindQuery(string link, string page, out string query)
    {
        query = "";
        var fragment = link.IndexOf('#', StringComparison.Ordinal);
        if (fragment >= 0)
            link = link[..fragment];

        var mark = link.IndexOf('?', StringComparison.Ordinal);
        if (mark < 0 || !IsPage(link[..mark], page))
            return false;

        // Copied from the source of a page, an ampersand is written out. No parameter of ours begins with "amp;".
        query = link[(mark + 1)..].Replace("&amp;", "&", StringComparison.OrdinalIgnoreCase);
        return true;
    }

    private static bool IsPage(string text, string page)
    {
        if (text.EndsWith('/'))
            text = text[..^1];
        if (text.Equals($"tg://{page}", StringComparison.OrdinalIgnoreCase)
            || text.Equals($"tg:{page}", StringComparison.OrdinalIgnoreCase))
            return true;

        foreach (var scheme in SchemesOfSite)
            foreach (var site in Sites)
                if (text.Equals($"{scheme}{site}/{page}", StringComparison.OrdinalIgnoreCase))
                    return true;

        return false;
    }

    /// <summary>
    /// The first of several parameters with one name, empty if there is none. A plus stays a plus: base64 secrets contain it, and links
    /// are not HTML forms.
    /// </summary>
    internal static string Parameter(string query, string name)
    {
        foreach (var pair in query.Split('&'))
            if (pair.StartsWith(name, StringComparison.Ordinal) && pair.AsSpan(name.Length) is ['=', .. var value])
                return Uri.UnescapeDataString(value.ToString());

        return "";
    }
}
