using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Portico.TestKit.Wires;
using Portico.Web.Site;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Site;

/// <summary>A site that a web server behind the host has.</summary>
public sealed class UpstreamSiteTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/a/../b//c/./%41%2f?x=%41&y=?&")]
    [InlineData("/%zz?%")]
    [InlineData("/a#b")]
    public async Task A_request_arrives_as_it_was_sent(string target)
    {
        await using var site = new RecordingSite();
        await using var host = await StartAsync(site);
        var body = "a=b&c=\u0000\u00ff";
        string[] lines =
        [
            $"POST {target} HTTP/1.1", $"Host: {WebHostUnderTest.Host}:1234", "User-Agent: x/1", "Accept-Encoding: gzip, br",
            "Cookie: a=b; c=d", "X-Two: b", "X-Two: a", "X-Umlaut: \u00e4", "Authorization: Basic eDp5",
            "X-Forwarded-For: 192.0.2.1, 192.0.2.2", "Via: 1.1 x",
            "Content-Type: text/x; a=\"b\"", $"Content-Length: {body.Length}",
        ];

        var answer = await RawHttp.AskAsync(host.Server.Address, string.Join("\r\n", lines) + "\r\nConnection: close\r\n\r\n" + body);

        var request = Assert.Single(site.Requests);
        var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.Equal(body, request[(end + 4)..]);
        Assert.Equal(lines.Order(StringComparer.Ordinal), request[..end].Split("\r\n").SelectMany(Lines).Order(StringComparer.Ordinal));
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nhelloCLOSED", answer, StringComparison.Ordinal);
        foreach (var line in RecordingSite.Answer.Split("\r\n\r\n")[0].Split("\r\n"))
            Assert.Contains(line + "\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Via:", answer, StringComparison.Ordinal);

        // Lines of one name may have been put together, which means the same (RFC 9110, section 5.3).
        static IEnumerable<string> Lines(string line) => line == "X-Two: b, a" ? ["X-Two: b", "X-Two: a"] : [line];
    }

    [Fact]
    public async Task Redirects_and_compressed_bodies_are_passed_on()
    {
        await using var site = new RecordingSite();
        await using var host = await StartAsync(site);
        site.AnswerTo = _ => "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc";

        var answer = await RawHttp.AskAsync(host.Server.Address, Get("/x"));

        Assert.StartsWith("HTTP/1.1 302 ", answer, StringComparison.Ordinal);
        Assert.Contains("Location: /elsewhere\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("Content-Encoding: gzip\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("abcCLOSED", answer, StringComparison.Ordinal);
        Assert.Single(site.Requests);
    }

    [Fact]
    public async Task Bodies_stream_both_ways()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var host = await WebHostUnderTest.StartAsync(
            new HostSetup { Change = settings => settings with { SiteUpstream = new Uri($"http://{listener.LocalEndpoint}") } });
        using var clock = new CancellationTokenSource(Wire.Patience);
        using var visitor = new TcpClient();
        await visitor.ConnectAsync((IPEndPoint)host.Server.Address, clock.Token);
        var asked = visitor.GetStream();

        await SayAsync(asked, $"POST /api/v1/up HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nContent-Length: 100003\r\n\r\n");
        await SayAsync(asked, new string('x', 100_000));
        using var served = await listener.AcceptTcpClientAsync(clock.Token);
        // Some KB may stay behind until there is more, or the end.
        await ReadUntilAsync(served.GetStream(), new string('x', 50_000));
        await SayAsync(asked, "end");
        await ReadUntilAsync(served.GetStream(), "xend");
        await SayAsync(served.GetStream(), "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nghi");
        await ReadUntilAsync(asked, "\r\n\r\nghi");
        await SayAsync(served.GetStream(), "jkl");
        await ReadUntilAsync(asked, "jkl");
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Http2)]
    public async Task Sockets_of_the_site_are_passed_through(Way way)
    {
        await using var site = new RecordingSite();
        await using var host = await StartAsync(site, way.IsTls());
        site.AnswerTo = request =>
        {
            var key = request.Split("\r\n").Single(line => line.StartsWith("Sec-WebSocket-Key: ", StringComparison.Ordinal))[19..];
            var accept = Convert.ToBase64String(Hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
            return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + $"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
        };
        using var handler = new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        };
        using var http = new HttpMessageInvoker(handler);
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = way.Version();
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.AddSubProtocol("chat");
        using var clock = new CancellationTokenSource(Wire.Patience);

        var where = new Uri($"{(way.IsTls() ? "wss" : "ws")}://{host.Server.Address}/api/v1/ws");
        await socket.ConnectAsync(where, http, clock.Token);

        Assert.Equal("chat", socket.SubProtocol);
        // The echo comes back masked, as no server's message may be: that it comes back is what counts.
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, clock.Token);
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[10], clock.Token));
    }

    [Fact]
    public async Task A_server_that_is_down_is_one_502_and_one_warning()
    {
        await using var host = await WebHostUnderTest.StartAsync(
            new HostSetup { Change = settings => settings with { SiteUpstream = new Uri("http://127.0.0.1:1") } });

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(
                "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\nDate: now\r\n\r\nCLOSED",
                RawHttp.WithoutDate(await RawHttp.AskAsync(host.Server.Address, Get($"/{i}"))));
        }

        Assert.Single(host.Logs.Lines, line => line.EventName == "WebSiteUnreachable");
    }

    [Fact]
    public async Task A_good_credential_in_a_wrong_place_does_not_get_to_the_site()
    {
        await using var site = new RecordingSite();
        await using var host = await StartAsync(site);
        using var client = host.Client();
        await client.EnterAsync();
        string[] credentials = [WebHostUnderTest.Capability, client.Bootstrap, client.SessionToken];
        foreach (var credential in credentials)
        {
            var answer = await RawHttp.AskAsync(
                host.Server.Address,
                $"POST /{credential}?a={credential} HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nReferer: https://x/?{credential}\r\n"
                + $"Cookie: a={credential}; b={credential}\r\n{credential}: x\r\nContent-Length: 43\r\n"
                + $"Connection: close\r\n\r\n{credential}");
            Assert.EndsWith("helloCLOSED", answer, StringComparison.Ordinal);
        }

        Assert.Equal(3, site.Requests.Count);
        Assert.All(site.Requests, request =>
        {
            Assert.All(credentials, credential => Assert.DoesNotContain(credential, request, StringComparison.Ordinal));
            Assert.Contains("Content-Length: 0\r\n", request, StringComparison.Ordinal);
        });
    }

    private static Task<WebHostUnderTest> StartAsync(RecordingSite site, bool isTls = false) => WebHostUnderTest.StartAsync(
        new HostSetup { IsTls = isTls, Change = settings => settings with { SiteUpstream = site.Address } });

    private static string Get(string target) => $"GET {target} HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nConnection: close\r\n\r\n";

    private static async Task SayAsync(NetworkStream stream, string text) => await stream.WriteAsync(Encoding.Latin1.GetBytes(text));

    private static async Task ReadUntilAsync(NetworkStream stream, string end)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        var read = "";
        var buffer = new byte[1024];
        while (!read.Contains(end, StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer, clock.Token);
            Assert.NotEqual(0, count);
            read += Encoding.Latin1.GetString(buffer, 0, count);
        }
    }

    // The handshake's own use of it (RFC 6455, section 4.2.2), which is no matter of security.
#pragma warning disable CA5350
    private static byte[] Hash(string text) => SHA1.HashData(Encoding.ASCII.GetBytes(text));
#pragma warning restore CA5350

    [Theory]
    [InlineData("/a/b?c=%20d#e", "/a/b?c=%20d#e")]
    [InlineData("/a HTTP/1.1", "/a%20HTTP/1.1")]
    [InlineData("/a\r\nHost: other\r\n\r\n", "/a%0D%0AHost:%20other%0D%0A%0D%0A")]
    [InlineData("/x?\u00e9\u0100", "/x?%C3%A9%C4%80")]
    [InlineData("/\0\u007f", "/%00%7F")]
    public void A_target_stays_within_its_line(string target, string escaped) => Assert.Equal(escaped, UpstreamSite.Escaped(target));
}
