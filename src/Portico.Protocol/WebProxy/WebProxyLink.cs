using System.Buffers.Text;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.WebProxy;

/// <summary>What is wrong with a link to a WEB proxy.</summary>
public enum WebLinkError : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A link to something else, or no link.</summary>
    NotWebProxy,

    /// <summary>The server is missing, or no host name with a correct path.</summary>
    BadAddress,

    /// <summary>A path needs a marked secret, so that apps that know no paths do not take the link for one to the root.</summary>
    UnmarkedSecretWithPath,

    /// <summary>A secret that no app reads so far: it asks the user to update.</summary>
    SecretUnsupported,

    /// <summary>The secret is missing, or no secret.</summary>
    SecretInvalid,
}

/// <summary>
/// Links that add a WEB proxy to an app: <c>tg://webproxy?server=HOST&amp;secret=HEX</c>, with a path
/// <c>server=HOST%2FPATH&amp;secret=MARKED</c>, and the same behind https://t.me/. There is no port.
/// </summary>
/// <remarks>
/// MARKED is base64url of 70 and the secret. An app that knows no paths finds 17 bytes or more that do not begin with dd, and asks
/// the user to update instead of adding a proxy that cannot work.
/// </remarks>
public static class WebProxyLink
{
    private const string Page = "webproxy";
    private const byte Mark = 0x70;
    private const int ShortestMarked = 1 + ProxySecret.Length;

    /// <summary>A link that opens the app directly: the one to print first, as t.me may not know the page.</summary>
    /// <param name="address">Where the proxy is.</param>
    /// <param name="kind">Simple or secure.</param>
    /// <param name="secret">The 16 bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fake TLS: WEB proxies have no such secrets.</exception>
    public static string Tg(WebAddress address, SecretKind kind, ProxySecret secret) => $"tg://{Page}?{Query(address, kind, secret)}";

    /// <summary>A link that opens a page offering to open the app.</summary>
    /// <inheritdoc cref="Tg"/>
    public static string TMe(WebAddress address, SecretKind kind, ProxySecret secret) =>
        $"https://t.me/{Page}?{Query(address, kind, secret)}";

    /// <summary>Reads either form as apps do, in the spellings that <see cref="ProxyLink"/> takes. A port is not looked at.</summary>
    /// <param name="link">What the user pasted.</param>
    /// <param name="address">Where the proxy is.</param>
    /// <param name="secret">Simple or secure.</param>
    /// <param name="error">What is wrong; None when all is well.</param>
    public static bool TryParse(
        string link, [NotNullWhen(true)] out WebAddress? address, [NotNullWhen(true)] out ParsedSecret? secret, out WebLinkError error)
    {
        (address, secret) = (null, null);
        if (!ProxyLink.TryFindQuery(link.Trim(), Page, out var query))
        {
            error = WebLinkError.NotWebProxy;
            return false;
        }

        var server = ProxyLink.Parameter(query, "server");
        if (!WebAddress.TryRead(server.Length > 0 ? server : ProxyLink.Parameter(query, "host"), out var read, out _))
        {
            error = WebLinkError.BadAddress;
            return false;
        }

        error = ReadSecret(ProxyLink.Parameter(query, "secret"), read.Path.Length > 0, out secret);
        if (secret is null)
            return false;
        address = read;
        return true;
    }

    /// <summary>A sentence for the user, without the secret.</summary>
    /// <exception cref="UnreachableException">The value has no sentence: a programming error, caught by a test over all values.</exception>
    public static string Explain(WebLinkError error) => error switch
    {
        WebLinkError.None => "The link is correct.",
        WebLinkError.NotWebProxy =>
            $"This is not a link to a WEB proxy: expected tg://{Page}?server=...&secret=... or https://t.me/{Page}?...",
        WebLinkError.BadAddress => "The link's server is missing, or no host name with a correct path.",
        WebLinkError.UnmarkedSecretWithPath => "The link has a path but a secret without the mark that such links carry: print it anew.",
        WebLinkError.SecretUnsupported =>
            "The link's secret is of a kind that WEB proxies do not have; an app says that it must be updated.",
        WebLinkError.SecretInvalid => "The link's secret is missing, or no secret.",
        _ => throw new UnreachableException($"WebLinkError {(int)error} has no sentence"),
    };

    private static string Query(WebAddress address, SecretKind kind, ProxySecret secret)
    {
        var server = Uri.EscapeDataString(address.ToString());
        Span<byte> marked = stackalloc byte[1 + ShortestMarked];
        marked[0] = Mark;
        var length = WebSecretText.Write(kind, secret, marked[1..]);
        // Lower-case hex: mixed-case hex that begins with c and A to F reads as a marked secret.
        var text = address.Path.Length == 0
            ? Convert.ToHexStringLower(marked.Slice(1, length))
            : Base64Url.EncodeToString(marked[..(1 + length)]);
        return $"server={server}&secret={text}";
    }

    private static WebLinkError ReadSecret(string text, bool hasPath, out ParsedSecret? secret)
    {
        secret = null;
        var isMarked = WebSecretText.TryDecode(text, out var bytes) && bytes.Length >= ShortestMarked && bytes[0] == Mark;
        if (!isMarked && hasPath)
            return WebLinkError.UnmarkedSecretWithPath;
        var status = isMarked ? WebSecretText.Interpret(bytes.AsSpan(1), out secret) : WebSecretText.Read(text, out secret);
        return status switch
        {
            WebSecretStatus.Valid => WebLinkError.None,
            WebSecretStatus.Unsupported => WebLinkError.SecretUnsupported,
            _ => WebLinkError.SecretInvalid,
        };
    }
}
