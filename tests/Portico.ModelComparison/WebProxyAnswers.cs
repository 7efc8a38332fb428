using System.Net;
using System.Text.Json;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;

namespace Portico.ModelComparison;

internal static class WebProxyAnswers
{
    private const string SomeHost = "a.example";

    private static readonly Dictionary<WebLinkError, string> LinkErrors = new()
    {
        [WebLinkError.NotWebProxy] = "not_webproxy",
        [WebLinkError.BadAddress] = "bad_address",
        [WebLinkError.UnmarkedSecretWithPath] = "unmarked_secret_with_path",
        [WebLinkError.SecretUnsupported] = "secret_unsupported",
        [WebLinkError.SecretInvalid] = "secret_invalid",
    };

    public static Dictionary<string, Func<JsonElement, string>> All { get; } = new()
    {
        ["web-host"] = question =>
        {
            var text = question.Text("text");
            // A slash in it would begin a path, and a scheme in front would be dropped, before it is looked at as a host.
            var isRead = WebAddress.TryRead(text, out var read, out _) && !text.Contains('/', StringComparison.Ordinal);
            return Question.Line(isRead ? "s" + read!.Host : "error", WebAddress.TryCreate(text, "", out _, out _));
        },
        ["web-path"] = question =>
        {
            var text = question.Text("text");
            return Question.Line(
                WebAddress.TryRead($"{SomeHost}/{text}", out var read, out _) ? "s" + read.Path : "error",
                WebAddress.TryCreate(SomeHost, text, out _, out _));
        },
        ["web-secret"] = question =>
        {
            var status = WebSecretText.Read(question.Text("text"), out var secret).ToString().ToLowerInvariant();
            return secret is null ? status : Question.Line(status, KeyOf(secret));
        },
        ["web-capability"] = question =>
        {
            var address = Address(question);
            var (kind, secret) = Secret(question.Hex("key"));
            return Question.Line(
                Capability.Compute(address, kind, secret), Capability.BridgeUrl(address, kind, secret),
                WebProxyLink.Tg(address, kind, secret), WebProxyLink.TMe(address, kind, secret));
        },
        ["web-link"] = question => WebProxyLink.TryParse(question.Text("link"), out var address, out var secret, out var error)
            ? Question.Line(address.Host, "/" + address.Path, KeyOf(secret))
            : LinkErrors[error],
        ["web-token"] = question =>
        {
            var key = WebTokenKey.Create(question.Hex("key"));
            return Question.Line(
                key.Mint((WebTokenKind)question.Number("kind"), question.Hex("nonce")),
                key.TryRead(question.Text("text"), out var token) ? token.Kind.ToString().ToLowerInvariant() : "none");
        },
        ["web-number"] = question => WebHeaderValue.TryReadNumber(question.Text("text"), out var number) ? $"{number}" : "none",
        ["web-bearer"] = question => WebHeaderValue.TryReadBearer(question.Text("text"), out var token) ? token.ToString() : "none",
        ["web-subprotocol"] = question => WebHeaderValue.TryReadSubprotocol(question.Text("text"), out var token, out var lane)
            ? Question.Line(token.ToString(), lane)
            : "none",
        ["web-forwarded"] = question =>
        {
            var values = question.GetProperty("values").EnumerateArray().Select(value => value.GetString()!).ToList();
            return !ForwardedAddress.TryFind(IPAddress.None, question.Flag("trusted"), values, out var client) ? "none"
                : client.Equals(IPAddress.None) ? "peer"
                : Question.Hex(client.GetAddressBytes());
        },
        ["web-route"] = Route,
    };

    private static WebAddress Address(JsonElement question) =>
        WebAddress.TryCreate(question.Text("host"), question.Text("path"), out var address, out var error)
            ? address
            : throw new InvalidDataException(error);

    private static (SecretKind Kind, ProxySecret Secret) Secret(byte[] key) => key.Length == ProxySecret.Length
        ? (SecretKind.Simple, ProxySecret.Create(key))
        : (SecretKind.Secure, ProxySecret.Create(key.AsSpan(1)));

    private static string KeyOf(ParsedSecret secret) =>
        secret.Kind == SecretKind.Secure ? SecretText.FormatSecure(secret.Secret) : SecretText.FormatSimple(secret.Secret);

    private static string Route(JsonElement question)
    {
        var (address, secret) = (Address(question), ProxySecret.Create(question.Hex("secret")));
        if (!CapabilityTable.TryCreate(
            address, [(SecretKind.Simple, secret), (SecretKind.Secure, secret)], new byte[CapabilityTable.KeyLength], out var table, out _))
            throw new InvalidDataException("twins");
        var router = new WebRouter(address, table, WebTokenKey.Create(question.Hex("key")));
        var request = new WebRequestHead(
            question.Text("method"), question.Text("target"), [question.Text("asked")],
            [.. question.GetProperty("headers").EnumerateArray()
                .Select(header => new KeyValuePair<string, string>(header[0].GetString()!, header[1].GetString()!))]);

        var kind = router.Route(request).Kind;
        return kind == WebRouteKind.Scrub && router.Route(router.Scrub(request, bytes => bytes.Fill(7))).Kind != WebRouteKind.Public
            ? "not scrubbed"
            : kind.ToString().ToLowerInvariant();
    }
}
