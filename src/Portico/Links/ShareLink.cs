using System.Text;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;

namespace Portico.Links;

/// <summary>What one user needs to connect by one protocol.</summary>
/// <param name="Listener">Name of the listener.</param>
/// <param name="User">Name of the user.</param>
/// <param name="Protocol">fake-tls, secure, classic, or web and web-classic.</param>
/// <param name="Host">The server that the link names.</param>
/// <param name="Port">Its port.</param>
/// <param name="Tg">Opens the app.</param>
/// <param name="TMe">Opens a page that offers to open the app; works in messages.</param>
internal sealed record ShareLink(string Listener, string User, string Protocol, string Host, int Port, string Tg, string TMe)
{
    // Apps know no other for WEB proxies.
    private const int WebPort = 443;

    /// <summary>The links of every user of a listener, best protocol first.</summary>
    /// <param name="listener">Whose links.</param>
    /// <param name="port">The port that it really listens on.</param>
    /// <param name="perSni">How secrets are derived for the listener's domain; null = they are not.</param>
    /// <param name="user">Of this user; null = of all.</param>
    public static IEnumerable<ShareLink> Of(ListenerSettings listener, int port, PerSniSettings? perSni, string? user = null)
    {
        var host = listener.PublicHost ?? PublicAddress.Find(listener.Address.Address).ToString();
        foreach (var credential in listener.Credentials.Where(it => it.IsShown && (user is null || it.Name == user)))
        {
            foreach (var (protocol, text) in SecretsOf(listener, credential, perSni))
            {
                var shown = listener.PublicPort ?? port;
                yield return new(
                    listener.Name, credential.Name, protocol, host, shown,
                    ProxyLink.Tg(host, shown, text), ProxyLink.TMe(host, shown, text));
            }

            if (listener.Web is not { } web) continue;
            foreach (var (protocol, kind) in FormsOf(web))
            {
                yield return new(
                    listener.Name, credential.Name, protocol, web.Address.Host, WebPort,
                    WebProxyLink.Tg(web.Address, kind, credential.Secret), WebProxyLink.TMe(web.Address, kind, credential.Secret));
            }
        }
    }

    /// <summary>Everything but the secret.</summary>
    public override string ToString() => $"{Listener}, user {User}, {Protocol}";

    private static IEnumerable<(string Protocol, string Text)> SecretsOf(ListenerSettings listener, Credential user, PerSniSettings? perSni)
    {
        var secret = user.Secret;
        if (listener.Protocols.HasFlag(ClientProtocols.FakeTls) && (user.Domain ?? listener.Domain) is { } domain)
        {
            yield return ("fake-tls", SecretText.FormatFakeTls(SecretFor(domain, secret, perSni), domain));
        }

        if (listener.Protocols.HasFlag(ClientProtocols.Secure))
            yield return ("secure", SecretText.FormatSecure(secret));
        if (listener.Protocols.HasFlag(ClientProtocols.Classic))
            yield return ("classic", SecretText.FormatSimple(secret));
    }

    private static IEnumerable<(string Protocol, SecretKind Kind)> FormsOf(WebSettings web)
    {
        if (web.TakesSecure) yield return ("web", SecretKind.Secure);
        if (web.TakesClassic) yield return ("web-classic", SecretKind.Simple);
    }

    // The name goes into the hello as it stands in the link, so it is hashed as it is.
    private static ProxySecret SecretFor(string domain, ProxySecret secret, PerSniSettings? perSni) =>
        perSni is null ? secret : PerSniSecret.Derive(perSni.Salt.Span, secret, Encoding.UTF8.GetBytes(domain));
}
