using System.Text;
using System.Text.Json;
using Portico.Protocol.Secrets;

namespace Portico.ModelComparison;

internal static class SecretAnswers
{
    public static Dictionary<string, Func<JsonElement, string>> All { get; } = new()
    {
        ["secret-read"] = question => SecretText.TryParse(question.Text("text"), out var parsed, out _) ? Describe(parsed) : "error",
        ["secret-write"] = question =>
        {
            var (secret, domain) = (question.Secret()!, question.Text("domain"));
            return Question.Line(
                SecretText.FormatSimple(secret), SecretText.FormatSecure(secret),
                SecretText.FormatFakeTls(secret, domain), SecretText.FormatFakeTlsBase64Url(secret, domain));
        },
        ["link-write"] = question =>
        {
            var (server, port, secret) = (question.Text("server"), (int)question.Number("port"), question.Text("text"));
            return Question.Line(ProxyLink.Tg(server, port, secret), ProxyLink.TMe(server, port, secret));
        },
        ["link-read"] = question => ProxyLink.TryParse(question.Text("link"), out var host, out var port, out var parsed, out _)
            ? Question.Line(host, port, Describe(parsed))
            : "error",
        ["per-sni-secret"] = question =>
            Question.Hex(PerSniSecret.Derive(question.Hex("salt"), question.Secret()!, question.Hex("sni")).Key),
    };

    private static string Describe(ParsedSecret parsed) => parsed.Kind switch
    {
        SecretKind.Simple => Question.Line("simple", Question.Hex(parsed.Secret.Key)),
        SecretKind.Secure => Question.Line("secure", Question.Hex(parsed.Secret.Key)),
        _ => Question.Line("fake_tls", Question.Hex(parsed.Secret.Key), Question.Hex(Encoding.ASCII.GetBytes(parsed.Domain!))),
    };
}
