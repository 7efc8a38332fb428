using System.Net;
using System.Net.WebSockets;
using System.Text;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Site;

/// <summary>Whoever has no credential, or one in a wrong place, must not find out by any byte that there is anything but a site.</summary>
public sealed class StrangerTests
{
    private const string Wrong = "pHRQ3XBenWUI--SSE3raNYQqct-M8bG4LHcqKMDgjjQ";

    /// <summary>What stands behind the host.</summary>
    public enum Behind
    {
        Nothing,
        Files,
        Server,
        DeadServer,
    }

    public static TheoryData<Behind, string> All
    {
        get
        {
            var data = new TheoryData<Behind, string>();
            foreach (var behind in Enum.GetValues<Behind>())
            {
                data.Add(behind, "");
                data.Add(behind, "chat");
            }

            return data;
        }
    }

    // Requests of every shape for a target; a censor has more patience than this list.
    private static IEnumerable<string> ShapesOf(string target)
    {
        string Plain(string method, string more = "", string body = "", string version = "1.1") =>
            $"{method} {target} HTTP/{version}\r\nHost: {WebHostUnderTest.Host}\r\n{more}Connection: close\r\n\r\n{body}";

        foreach (var method in new[] { "GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get", "CONNECT" })
            yield return Plain(method);
        foreach (var method in new[] { "POST", "PUT", "DELETE", "GET" })
        {
            yield return Plain(method, "Content-Length: 0\r\n");
            yield return Plain(method, "Content-Length: 9\r\nContent-Type: application/octet-stream\r\n", new string('\0', 9));
            yield return Plain(method, "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n");
            yield return Plain(method, $"Authorization: Bearer {Wrong}\r\nContent-Type: application/octet-stream\r\nX-Up-Seq: 1\r\n"
                + "X-Down-Cursor: 0\r\nContent-Length: 8\r\n", "\u0001\0\0\u0001\0\0\0\0");
            yield return Plain(method, "Authorization: Bearer x\r\nCookie: a=b\r\nContent-Length: 0\r\n");
        }

        yield return Plain("POST", "Content-Length: 3000000\r\n", new string('x', 3_000_000));
        yield return Plain("GET", version: "1.0");
        yield return Plain("GET", version: "3.0");
        yield return Plain("GET", "Host: other.example.com\r\n");
        yield return $"GET {target} HTTP/1.1\r\nConnection: close\r\n\r\n";
        yield return $"GET {target} HTTP/1.1\r\nHost: other.example.com\r\nConnection: close\r\n\r\n";
        yield return Plain("GET", "Range: bytes=0-1\r\n");
        yield return Plain("GET", "If-None-Match: *\r\n");
        yield return Plain("GET", "If-Modified-Since: Sun, 29 Nov 2099 12:00:00 GMT\r\n");
        yield return Plain("GET", "Accept-Encoding: gzip, br\r\n");
        yield return Plain("GET", $"Referer: https://{WebHostUnderTest.Host}/?bridge={Wrong}\r\n");
        yield return Plain("GET", $"X-Large: {new string('x', 17_000)}\r\n");
        yield return Plain("POST", "Content-Length: x\r\n");
        yield return Plain("POST", "Content-Length: 1\r\nContent-Length: 2\r\n", "ab");
        yield return Plain("GET", "Bad Name: x\r\n");
        yield return RawHttp.Handshake(target, $"tproxy-v1.{Wrong}");
        yield return RawHttp.Handshake(target, $"tproxy-lane-v1.{Wrong}.1");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task No_byte_tells_a_path_of_ours_from_another(Behind behind, string path)
    {
        await using var site = new RecordingSite();
        await using var host = await StartAsync(behind, path, site);
        var start = host.Settings.Address.Base;
        string[] missing = [start + "api/v1/session", start + "api/v1/up", start + "api/v1/down", start + "api/v1/ws"];
        string[] others = [start + "api/v1/other", "/nothing", "/n/o/t/h/i/n/g"];
        await AssertSameAsync(host, [.. others, .. missing, .. path.Length > 0 ? ["/chat/", "/chat", "/chat/x"] : Array.Empty<string>()]);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task No_byte_tells_a_wrong_capability_from_none(Behind behind, string path)
    {
        await using var site = new RecordingSite();
        await using var host = await StartAsync(behind, path, site);
        var start = host.Settings.Address.Base;
        var right = WebHostUnderTest.WebCapability(path);
        await AssertSameAsync(host, [start, $"{start}?bridge={Wrong}", $"{start}?bridge=", $"{start}?bridge={right[..^1]}", $"{start}?x"]);

        // With the right one in a wrong place, by the shapes that do not make it right.
        string[] augmented = [$"{start}?bridge={right}&x=1", $"{start}?bridge={right}&bridge={right}", $"{start}?Bridge={right}"];
        foreach (var target in augmented)
        {
            foreach (var (shape, plain) in ShapesOf(target).Zip(ShapesOf($"{start}?nothing")))
                Assert.Equal(await AnswerAsync(host, plain), await AnswerAsync(host, shape));
        }

        Assert.Equal(
            await AnswerAsync(host, $"HEAD {start} HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nConnection: close\r\n\r\n"),
            await AnswerAsync(host, $"HEAD {start}?bridge={right} HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nConnection: close\r\n\r\n"));
    }

    [Theory]
    [InlineData(Behind.Nothing)]
    [InlineData(Behind.Files)]
    [InlineData(Behind.Server)]
    [InlineData(Behind.DeadServer)]
    public async Task Nor_does_anything_over_HTTP_2(Behind behind)
    {
        await using var site = new RecordingSite();
        await using var host = await StartAsync(behind, "", site, isTls: true);
        using var client = host.Client(HttpVersion.Version20);
        foreach (var method in new[] { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS" })
        {
            string? first = null;
            foreach (var target in new[] { "/api/v1/other", "/api/v1/session", "/api/v1/up", "/api/v1/down", "/api/v1/ws", "/nothing" })
            {
                using var request = client.Request(
                    new HttpMethod(method), target, Wrong, method is "POST" or "PUT" ? new ByteArrayContent(new byte[100]) : null);
                using var answer = await client.SendAsync(request);
                Assert.Equal(first ??= await TextOf(answer), await TextOf(answer));
            }
        }

        foreach (var target in new[] { "api/v1/ws", "api/v1/up", "nothing" })
            Assert.Equal(await HandshakeAsync(host, "nowhere"), await HandshakeAsync(host, target));
    }

    [Fact]
    public async Task A_host_without_a_site_says_the_same_plain_404()
    {
        await using var host = await WebHostUnderTest.StartAsync();

        var answer = await AnswerAsync(host, $"GET /x HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nConnection: close\r\n\r\n");

        Assert.Equal("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\nDate: now\r\n\r\nCLOSED", answer);
    }

    [Theory]
    [InlineData(Behind.Nothing)]
    [InlineData(Behind.Files)]
    public async Task No_stranger_gets_a_WebSocket(Behind behind)
    {
        await using var site = new RecordingSite();
        await using var host = await StartAsync(behind, "", site);
        foreach (var target in new[] { "/api/v1/ws", "/", "/page.html" })
        {
            var answer = await RawHttp.AskAsync(host.Server.Address, RawHttp.Handshake(target, $"tproxy-v1.{Wrong}"));
            Assert.DoesNotContain(" 101 ", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("Sec-WebSocket", answer, StringComparison.Ordinal);
        }
    }

    private static async Task<WebHostUnderTest> StartAsync(Behind behind, string path, RecordingSite site, bool isTls = false)
    {
        var root = Directory.CreateTempSubdirectory("portico-site-").FullName;
        await File.WriteAllTextAsync(Path.Combine(root, "index.html"), "<!DOCTYPE html><title>A site</title>");
        await File.WriteAllTextAsync(Path.Combine(root, "page.html"), "<!DOCTYPE html><title>A page</title>");
        await File.WriteAllTextAsync(Path.Combine(root, "404.html"), "<!DOCTYPE html><title>Not here</title>");
        try
        {
            return await WebHostUnderTest.StartAsync(new HostSetup
            {
                Path = path,
                IsTls = isTls,
                Change = settings => behind switch
                {
                    Behind.Files => settings with { Site = root },
                    Behind.Server => settings with { SiteUpstream = site.Address },
                    Behind.DeadServer => settings with { SiteUpstream = new Uri("http://127.0.0.1:1") },
                    _ => settings,
                },
            });
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task AssertSameAsync(WebHostUnderTest host, string[] targets)
    {
        var expected = new List<string>();
        foreach (var request in ShapesOf(targets[0]))
            expected.Add(await AnswerAsync(host, request));
        Assert.All(expected, answer => Assert.StartsWith("HTTP/1.1 ", answer, StringComparison.Ordinal));
        foreach (var target in targets[1..])
        {
            foreach (var (request, answer) in ShapesOf(target).Zip(expected))
                Assert.Equal(answer, await AnswerAsync(host, request));
        }
    }

    private static async Task<string> AnswerAsync(WebHostUnderTest host, string request) =>
        RawHttp.WithoutDate(await RawHttp.AskAsync(host.Server.Address, request));

    private static async Task<string> TextOf(HttpResponseMessage answer)
    {
        var text = new StringBuilder($"{(int)answer.StatusCode}\n");
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            text.AppendLine($"{name}: {(name == "Date" ? "now" : string.Join('|', values))}");
        return text.Append(await answer.Content.ReadAsStringAsync()).ToString();
    }

    private static async Task<string> HandshakeAsync(WebHostUnderTest host, string target)
    {
        using var handler = new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        };
        using var http = new HttpMessageInvoker(handler);
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.AddSubProtocol($"tproxy-v1.{Wrong}");
        using var clock = new CancellationTokenSource(Wire.Patience);
        var where = new Uri($"wss://{host.Server.Address}/{target}");
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(where, http, clock.Token));
        var headers = socket.HttpResponseHeaders!.Where(header => header.Key != "Date");
        return $"{socket.HttpStatusCode} {string.Join('\n', headers.Select(header => $"{header.Key}: {string.Join('|', header.Value)}"))}";
    }
}
