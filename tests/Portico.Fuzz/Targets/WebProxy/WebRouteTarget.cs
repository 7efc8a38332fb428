using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.WebProxy;

/// <summary>A request in lines: method and target, the host, and a line for each header.</summary>
internal sealed class WebRouteTarget : TextTarget
{
    private readonly WebRouter _router;
    private readonly string[] _credentials;

    public WebRouteTarget()
    {
        var secret = ProxySecret.Create(Convert.FromHexString("000102030405060708090a0b0c0d0e0f"));
        var entries = new[] { (SecretKind.Simple, secret), (SecretKind.Secure, secret) };
        var tokens = WebTokenKey.Create(Convert.FromHexString("0dda54cbe13b33f44428fbf38c3227226480c1a5724b78c2db586aa67161970a"));
        Demand(WebAddress.TryCreate("proxy.example.com", "", out var address, out var error), error);
        Demand(CapabilityTable.TryCreate(address, entries, new byte[CapabilityTable.KeyLength], out var table, out _), "finds twins");
        _router = new WebRouter(address, table, tokens);
        _credentials =
        [
            .. entries.Select(entry => Capability.Compute(address, entry.Item1, entry.Item2)),
            .. WebSeeds.Cases("tokens", "make").Select(item => item.GetProperty("token").GetString()!),
        ];
    }

    public override string Name => "web-route";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok Public", "Ok Scrub", "Ok Bridge", "Ok Transport", "Invalid"];

    public override IEnumerable<byte[]> Seeds => WebSeeds.Cases("routing")
        .SelectMany(group => group.GetProperty("cases").EnumerateArray()).Select(item => Encoding.UTF8.GetBytes(Lines(item)));

    public override IReadOnlyList<byte[]> Tokens => TokensOf(
    [
        .. _credentials, "GET ", "POST ", "CONNECT ", "/?bridge=", "/api/v1/session", "/api/v1/up", "/api/v1/ws",
        "\nproxy.example.com:443", "\nCookie: ", "\nAuthorization: Bearer ", "\nSec-WebSocket-Protocol: tproxy-v1.",
        "%", "%25", "%49", "A", "=", "&", ", ",
    ]);

    public override int MaxLength => 512;

    protected override Outcome Read(string text)
    {
        var lines = text.Split('\n');
        var space = lines[0].IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || lines.Length < 2) return new Outcome(FrameStatus.Invalid);
        var request = new WebRequestHead(
            lines[0][..space], lines[0][(space + 1)..], [lines[1]],
            [.. lines[2..].Select(line => line.Split(": ", 2)).Select(parts => KeyValuePair.Create(parts[0], parts[^1]))]);

        var route = _router.Route(request);
        var scrubbed = _router.Scrub(request, bytes => bytes.Fill(3));
        Demand(_router.Route(scrubbed).Kind == WebRouteKind.Public, "leaves a credential in what it scrubbed");
        Demand(
            Parts(request).Select(part => part.Length).SequenceEqual(Parts(scrubbed).Select(part => part.Length)),
            "changes the length of what it scrubs");
        Demand(
            Parts(request).SequenceEqual(Parts(scrubbed)) == (route.Kind == WebRouteKind.Public),
            "scrubs what has no credential, or does not scrub what has one");
        Demand(route.Kind != WebRouteKind.Public || !Parts(request).Any(HasCredential), "passes a credential on");
        var digest = new Digest().Add(route.CapabilityIndex).Add((long)route.Endpoint).Add(route.Lane);
        return new Outcome(FrameStatus.Ok, route.Kind.ToString(), 0, digest.Value);
    }

    private static string Lines(JsonElement item)
    {
        var headers = item.GetProperty("headers").EnumerateArray();
        return string.Join('\n', headers.Select(header => $"{header[0].GetString()}: {header[1].GetString()}")
            .Prepend(item.GetProperty("host").GetString()!)
            .Prepend($"{item.GetProperty("method").GetString()} {item.GetProperty("target").GetString()}"));
    }

    private static IEnumerable<string> Parts(WebRequestHead request) =>
        [request.Target, .. request.Hosts, .. request.Headers.SelectMany(header => new[] { header.Key, header.Value })];

    // Another way to look for what stands between two characters that are no digits of base64url.
    private bool HasCredential(string part) =>
        Regex.Split(part, "[^A-Za-z0-9_%-]|%(?![0-9A-Fa-f]{2})")
            .SelectMany(piece => Regex.Split(Uri.UnescapeDataString(piece), "[^A-Za-z0-9_-]"))
            .Any(run => _credentials.Contains(run));
}
