using System.Text.Json;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class WebRouterTests
{
    private const string Host = "proxy.example.com";

    private static readonly byte[] Key = Vectors.Hex("000102030405060708090a0b0c0d0e0f");

    private static readonly string SessionToken = WebVectors.Cases("tokens", "make")[1].Text("token");

    private static readonly (SecretKind, ProxySecret)[] Entries =
        [(SecretKind.Simple, ProxySecret.Create(Key)), (SecretKind.Secure, ProxySecret.Create(Key))];

    public static TheoryData<int, int> Cases
    {
        get
        {
            var data = new TheoryData<int, int>();
            var groups = WebVectors.Cases("routing");
            for (var group = 0; group < groups.Length; group++)
                for (var index = 0; index < groups[group].GetProperty("cases").GetArrayLength(); index++)
                    data.Add(group, index);
            return data;
        }
    }

    [Fact]
    public void There_are_as_many_recorded_requests_as_written_down() => Assert.Equal(92, Cases.Count);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Requests_go_where_they_were_recorded_to_go(int group, int index)
    {
        var (router, known) = RouterOf(WebVectors.Cases("routing")[group].GetProperty("config"));
        var item = WebVectors.Cases("routing")[group].GetProperty("cases")[index];
        var request = RequestOf(item);

        var route = router.Route(request);

        Assert.Equal(item.Text("expected"), route.Kind.ToString().ToLowerInvariant());
        if (route.Kind == WebRouteKind.Bridge)
            Assert.EndsWith(known[route.CapabilityIndex], request.Target, StringComparison.Ordinal);
        if (route.Kind == WebRouteKind.Transport)
            AssertTransport(request, route);
        if (route.Kind == WebRouteKind.Scrub)
            AssertScrubbed(router, request, known);
        if (route.Kind == WebRouteKind.Public)
            Assert.Equal(Lines(request), Lines(router.Scrub(request, Fill(1))));
    }

    [Theory]
    [InlineData("api/v1/session", "POST", WebTokenKind.Bootstrap, WebEndpoint.CreateSession)]
    [InlineData("api/v1/session", "DELETE", WebTokenKind.Session, WebEndpoint.DeleteSession)]
    [InlineData("api/v1/up", "POST", WebTokenKind.Session, WebEndpoint.Up)]
    [InlineData("api/v1/down", "POST", WebTokenKind.Session, WebEndpoint.Down)]
    public void Each_endpoint_takes_one_method_and_one_kind_of_token(string path, string method, WebTokenKind kind, WebEndpoint endpoint)
    {
        var router = Router("app");
        foreach (var otherMethod in new[] { "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "post", "" })
        {
            foreach (var otherKind in Enum.GetValues<WebTokenKind>())
            {
                var token = WebTokenKeyTests.Recorded.Mint(otherKind, new byte[16]);
                var route = router.Route(
                    new WebRequestHead(otherMethod, "/app/" + path, [Host], [new("authorization", "Bearer " + token)]));
                if (otherMethod == method && otherKind == kind)
                    Assert.Equal(new WebRoute(WebRouteKind.Transport, 0, endpoint, new WebToken(kind, 0)), route);
                else if (path != "api/v1/session" || otherMethod is not ("POST" or "DELETE"))
                    Assert.Equal(WebRouteKind.Scrub, route.Kind);
            }
        }
    }

    [Fact]
    public void A_request_with_two_hosts_or_none_is_not_ours()
    {
        var router = Router("");
        var target = Bridge("");

        Assert.Equal(WebRouteKind.Bridge, router.Route(new WebRequestHead("GET", target, [Host], [])).Kind);
        Assert.Equal(WebRouteKind.Scrub, router.Route(new WebRequestHead("GET", target, [Host, Host], [])).Kind);
        Assert.Equal(WebRouteKind.Scrub, router.Route(new WebRequestHead("GET", target, [], [])).Kind);
        Assert.Equal(WebRouteKind.Scrub, router.Route(new WebRequestHead("GET", "/", [SessionToken], [])).Kind);
        // The long s is an s in upper case, and no ASCII letter.
        Assert.Equal(WebRouteKind.Scrub, router.Route(new WebRequestHead("GET", target, [Host.Replace('p', '\u017f')], [])).Kind);
    }

    [Fact]
    public void A_lane_of_a_WebSocket_is_told()
    {
        var request = new WebRequestHead(
            "CONNECT", "/api/v1/ws", [Host], [new("Sec-WebSocket-Protocol", $" tproxy-lane-v1.{SessionToken}.77\t")]);

        Assert.Equal((WebRouteKind.Transport, 77u), (Router("").Route(request).Kind, Router("").Route(request).Lane));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("/", "?")]
    [InlineData("%", "%4")]
    [InlineData("%z.", "%zz")]
    [InlineData("\u00e9", "%ff")]
    [InlineData("A.", "=A")]
    public void A_credential_is_replaced_wherever_it_stands_and_nothing_else_is(string before, string after)
    {
        var text = before + SessionToken + after;

        var scrubbed = Scrub(text);

        Assert.Equal(text.Length, scrubbed.Length);
        Assert.Equal(before, scrubbed[..before.Length]);
        Assert.Equal(after, scrubbed[^after.Length..]);
        Assert.NotEqual(text, scrubbed);
        Assert.All(scrubbed.AsSpan(before.Length, SessionToken.Length).ToArray(), one => Assert.True(CredentialText.IsDigit(one)));
    }

    [Fact]
    public void Escapes_stay_escapes_so_that_only_the_credential_is_another()
    {
        var escaped = string.Concat(SessionToken.Select((one, i) => i % 3 == 0 ? $"%{(int)one:x2}" : $"{one}"));

        var scrubbed = Scrub($"/?a={escaped}&b=c");

        Assert.StartsWith("/?a=%", scrubbed, StringComparison.Ordinal);
        Assert.EndsWith("&b=c", scrubbed, StringComparison.Ordinal);
        Assert.Equal(escaped.Length + 8, scrubbed.Length);
        Assert.DoesNotContain(SessionToken, Uri.UnescapeDataString(scrubbed), StringComparison.Ordinal);
        Assert.Equal(4 + SessionToken.Length + 4, Uri.UnescapeDataString(scrubbed).Length);
    }

    [Fact]
    public void Several_credentials_in_one_text_are_all_replaced_and_wrong_ones_stay()
    {
        var capability = Capability.Compute(WebVectors.Address(Host, ""), SecretKind.Simple, ProxySecret.Create(Key));
        var wrong = capability[..10] + (capability[10] == 'A' ? 'B' : 'A') + capability[11..];

        var scrubbed = Scrub($"{capability}&{wrong}&{SessionToken}");

        Assert.Equal(wrong, scrubbed.Split('&')[1]);
        Assert.DoesNotContain(capability, scrubbed, StringComparison.Ordinal);
        Assert.DoesNotContain(SessionToken, scrubbed, StringComparison.Ordinal);
    }

    [Fact]
    public void A_credential_encoded_twice_or_inside_a_longer_run_is_not_looked_for()
    {
        var twice = string.Concat(SessionToken.Select(one => $"%25{(int)one:x2}"));

        foreach (var text in new[] { SessionToken + "A", "-" + SessionToken, SessionToken + "%41", twice })
            Assert.Equal(text, Scrub(text));
    }

    [Fact]
    public void Routing_allocates_nothing()
    {
        var router = Router("");
        WebRequestHead[] requests =
        [
            new("GET", Bridge(""), [Host], []),
            new("POST", "/api/v1/up", [Host], [new("Authorization", "Bearer " + SessionToken)]),
            new("GET", "/about?x=%41" + new string('b', 42), [Host], [new("Accept", "*/*")]),
        ];
        foreach (var request in requests)
            router.Route(request);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 30; i++)
            router.Route(requests[i % 3]);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Bridge(string path) => WebVectors.Address(Host, path).Base + "?bridge="
        + Capability.Compute(WebVectors.Address(Host, path), SecretKind.Simple, ProxySecret.Create(Key));

    private static string Scrub(string target) => Router("").Scrub(new WebRequestHead("GET", target, [Host], []), Fill(7)).Target;

    private static Protocol.FakeTls.RandomFill Fill(byte seed) => bytes =>
    {
        foreach (ref var one in bytes)
            one = seed = (byte)(seed * 5 + 1);
    };

    private static WebRouter Router(string path) => RouterOf(path, Entries).Router;

    // The vectors name the capabilities only; they are those of one key in both forms.
    private static (WebRouter Router, List<string> Known) RouterOf(JsonElement config)
    {
        var address = WebVectors.Address(config.Text("host"), config.Text("path"));
        var listed = config.GetProperty("capabilities").EnumerateArray().Select(text => text.GetString()!).ToList();
        var entries = Entries.Where(entry => listed.Contains(Capability.Compute(address, entry.Item1, entry.Item2))).ToArray();
        Assert.Equal(listed.Count, entries.Length);
        return RouterOf(config.Text("path"), entries);
    }

    private static (WebRouter Router, List<string> Known) RouterOf(string path, (SecretKind, ProxySecret)[] entries)
    {
        var address = WebVectors.Address(Host, path);
        Assert.True(CapabilityTable.TryCreate(address, entries, new byte[CapabilityTable.KeyLength], out var table, out _));
        return (new WebRouter(address, table, WebTokenKeyTests.Recorded),
            [.. entries.Select(entry => Capability.Compute(address, entry.Item1, entry.Item2))]);
    }

    private static WebRequestHead RequestOf(JsonElement item) => new(
        item.Text("method"), item.Text("target"), [item.Text("host")],
        [.. item.GetProperty("headers").EnumerateArray()
            .Select(header => new KeyValuePair<string, string>(header[0].GetString()!, header[1].GetString()!))]);

    private static void AssertTransport(WebRequestHead request, WebRoute route)
    {
        var expected = (request.Method, request.Target[(request.Target.LastIndexOf('/') + 1)..]) switch
        {
            ("POST", "session") => WebEndpoint.CreateSession,
            ("DELETE", "session") => WebEndpoint.DeleteSession,
            (_, "up") => WebEndpoint.Up,
            (_, "down") => WebEndpoint.Down,
            (_, "ws") => WebEndpoint.Socket,
            var other => throw new InvalidDataException($"{other}"),
        };
        var value = request.Headers.First(header => !header.Key.Equals("Cookie", StringComparison.OrdinalIgnoreCase)).Value;
        var text = value[(value.IndexOfAny([' ', '.']) + 1)..].Split('.')[0];

        Assert.Equal(expected, route.Endpoint);
        Assert.True(WebTokenKeyTests.Recorded.TryRead(text, out var token));
        Assert.Equal(token, route.Token);
        Assert.Equal(value.StartsWith("tproxy-lane", StringComparison.Ordinal) ? value.Split('.')[2] : "0", $"{route.Lane}");
    }

    private static void AssertScrubbed(WebRouter router, WebRequestHead request, List<string> known)
    {
        var scrubbed = router.Scrub(request, Fill(3));
        var credentials = known.Concat(WebVectors.Cases("tokens", "make").Select(token => token.Text("token"))).ToList();

        Assert.Equal(WebRouteKind.Public, router.Route(scrubbed).Kind);
        Assert.Equal(Lines(request).Select(line => line.Length), Lines(scrubbed).Select(line => line.Length));
        Assert.NotEqual(Lines(request), Lines(scrubbed));
        Assert.All(Lines(scrubbed), line => Assert.DoesNotContain(
            credentials, credential => Uri.UnescapeDataString(line).Contains(credential, StringComparison.Ordinal)));
    }

    private static List<string> Lines(WebRequestHead request) =>
        [request.Method, request.Target, .. request.Hosts, .. request.Headers.SelectMany(header => new[] { header.Key, header.Value })];
}
