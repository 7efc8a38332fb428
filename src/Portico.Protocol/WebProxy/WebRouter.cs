using System.Text;
using Portico.Protocol.FakeTls;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// Decides which requests of a virtual host are ours. Everybody who shows no credential in exactly its place gets what the public site
/// says, on every path, so that there is nothing to be found by asking.
/// </summary>
/// <param name="address">The virtual host.</param>
/// <param name="capabilities">Who may see the bridge page.</param>
/// <param name="tokens">Whose tokens are ours.</param>
public sealed class WebRouter(WebAddress address, CapabilityTable capabilities, WebTokenKey tokens)
{
    // In the form of a credential, and nobody's.
    private static readonly string Decoy = new('A', CredentialText.Length);

    private readonly string _bridgeStart = address.Base + Capability.BridgeQuery;
    private readonly string _hostWithPort = address.Host + ":443";
    private readonly string _session = address.Base + "api/v1/session";
    private readonly string _up = address.Base + "api/v1/up";
    private readonly string _down = address.Base + "api/v1/down";
    private readonly string _socket = address.Base + "api/v1/ws";

    /// <summary>Who answers a request. Allocates nothing.</summary>
    public WebRoute Route(in WebRequestHead request)
    {
        // First, and for everybody alike: who has nothing of ours is not to hear by the time that a path is.
        if (!HasCredential(request))
            return new WebRoute(WebRouteKind.Public);
        var isOurHost = request.Hosts.Count == 1 && IsOurHost(request.Hosts[0]);
        if (isOurHost && FindBridge(request, out var index))
            return new WebRoute(WebRouteKind.Bridge, index);
        if (isOurHost && FindTransport(request, out var transport))
            return transport;
        return new WebRoute(WebRouteKind.Scrub);
    }

    /// <summary>
    /// The same request with other characters in place of each credential of ours: it looks like one with a wrong credential,
    /// and neither the public site nor its log gets to see a right one.
    /// </summary>
    /// <param name="request">What came.</param>
    /// <param name="random">Where random bytes come from.</param>
    public WebRequestHead Scrub(in WebRequestHead request, RandomFill random)
    {
        var hosts = new string[request.Hosts.Count];
        for (var i = 0; i < hosts.Length; i++)
            hosts[i] = Scrubbed(request.Hosts[i], random);
        var headers = new KeyValuePair<string, string>[request.Headers.Count];
        for (var i = 0; i < headers.Length; i++)
            headers[i] = new(Scrubbed(request.Headers[i].Key, random), Scrubbed(request.Headers[i].Value, random));
        return request with { Target = Scrubbed(request.Target, random), Hosts = hosts, Headers = headers };
    }

    private bool IsOurHost(string host) => Ascii.EqualsIgnoreCase(host, address.Host) || Ascii.EqualsIgnoreCase(host, _hostWithPort);

    private bool FindBridge(in WebRequestHead request, out int index)
    {
        index = request.Method == "GET" && request.Target.StartsWith(_bridgeStart, StringComparison.Ordinal)
            ? capabilities.Find(request.Target.AsSpan(_bridgeStart.Length))
            : -1;
        return index >= 0;
    }

    private bool FindTransport(in WebRequestHead request, out WebRoute route)
    {
        route = default;
        WebEndpoint? endpoint = (request.Method, request.Target) switch
        {
            ("POST", var target) when target == _session => WebEndpoint.CreateSession,
            ("DELETE", var target) when target == _session => WebEndpoint.DeleteSession,
            ("POST", var target) when target == _up => WebEndpoint.Up,
            ("POST", var target) when target == _down => WebEndpoint.Down,
            ("GET" or "CONNECT", var target) when target == _socket => WebEndpoint.Socket,
            _ => null,
        };
        if (endpoint is not { } found)
            return false;

        var lane = 0u;
        var hasToken = found == WebEndpoint.Socket
            ? TryFindSubprotocol(request.Headers, out var text, out lane)
            : TryFindBearer(request.Headers, out text);
        var kind = found == WebEndpoint.CreateSession ? WebTokenKind.Bootstrap : WebTokenKind.Session;
        if (!hasToken || !tokens.TryRead(text, out var token) || token.Kind != kind)
            return false;
        route = new WebRoute(WebRouteKind.Transport, Endpoint: found, Token: token, Lane: lane);
        return true;
    }

    // Our page sends no cookies; one that came along means that something else wrote the request.
    private static bool TryFindBearer(IReadOnlyList<KeyValuePair<string, string>> headers, out ReadOnlySpan<char> token)
    {
        token = default;
        return Count(headers, "Cookie", out _) == 0
            && Count(headers, "Authorization", out var value) == 1
            && WebHeaderValue.TryReadBearer(value, out token);
    }

    // A browser cannot leave cookies out of a WebSocket's request, and cannot put Authorization in.
    private static bool TryFindSubprotocol(
        IReadOnlyList<KeyValuePair<string, string>> headers, out ReadOnlySpan<char> token, out uint lane)
    {
        token = default;
        lane = 0;
        // A list of several entries has a comma, which no entry of ours has.
        return Count(headers, "Authorization", out _) == 0
            && Count(headers, "Sec-WebSocket-Protocol", out var value) == 1
            && WebHeaderValue.TryReadSubprotocol(value.AsSpan().Trim(" \t"), out token, out lane);
    }

    private static int Count(IReadOnlyList<KeyValuePair<string, string>> headers, string name, out string last)
    {
        last = "";
        var count = 0;
        for (var i = 0; i < headers.Count; i++)
        {
            if (!Ascii.EqualsIgnoreCase(headers[i].Key, name))
                continue;
            last = headers[i].Value;
            count++;
        }

        return count;
    }

    // A request without anything that could be one takes as long as one with a wrong one.
    private bool HasCredential(in WebRequestHead request)
    {
        var lookUps = 0;
        if (HasCredential(request.Target, ref lookUps))
            return true;
        for (var i = 0; i < request.Hosts.Count; i++)
            if (HasCredential(request.Hosts[i], ref lookUps))
                return true;
        for (var i = 0; i < request.Headers.Count; i++)
            if (HasCredential(request.Headers[i].Key, ref lookUps) || HasCredential(request.Headers[i].Value, ref lookUps))
                return true;
        return lookUps == 0 && IsOurs(Decoy);
    }

    private bool HasCredential(string text, ref int lookUps)
    {
        var runs = new CredentialRuns(text);
        while (runs.MoveNext())
        {
            if (!CredentialText.IsValid(runs.Current))
                continue;
            lookUps++;
            if (IsOurs(runs.Current))
                return true;
        }

        return false;
    }

    private string Scrubbed(string text, RandomFill random)
    {
        char[]? scrubbed = null;
        var runs = new CredentialRuns(text);
        while (runs.MoveNext())
        {
            if (!IsOurs(runs.Current))
                continue;
            scrubbed ??= text.ToCharArray();
            CredentialRuns.Replace(scrubbed.AsSpan(runs.Start..runs.End), random);
        }

        return scrubbed is null ? text : new string(scrubbed);
    }

    // Both are asked always: which of the two a run is, or that it is the first, is not to be heard.
    private bool IsOurs(ReadOnlySpan<char> run) => capabilities.Find(run) >= 0 | tokens.TryRead(run, out _);
}
