using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests;

/// <summary>Bytes that no browser sends are the daily bread of a server that everybody can reach.</summary>
public sealed class HostileTests
{
    private static readonly string[] Targets =
    [
        "/", "/?bridge=", "/api/v1/up", "/api/v1/ws", "*", "//", "/%", "/%00", "/\u0001", "/a b", "/..", "/%2e%2e/", "x", "http://",
        "https://x", "https://proxy.example.com?x", "proxy.example.com:443", "/" + new string('a', 7000), "/?" + new string('%', 3000),
    ];

    private static readonly string[] Lines =
    [
        "Authorization: Bearer", "Authorization: Bearer ", "Authorization:", "Content-Type: application/octet-stream", "X-Up-Seq: 1",
        "X-Up-Seq: 1\r\nX-Up-Seq: 2", "X-Lane-ID: 0", "X-Down-Cursor: 0", "Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: x",
        "Connection: Upgrade, close", "Connection: Authorization", "Content-Length: 5", "Content-Length: 99999999999999999999",
        "Content-Length: -1", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: x",
        "Expect: 100-continue", "Expect: x",
        "Range: bytes=-", "Range: bytes=5-1,9-", "If-None-Match: \"", "If-Match: *", "If-Modified-Since: x", "If-Range: \"x\"",
        "Host: a b", "Host: [::1", "Cookie: " + new string(';', 2000), "TE: trailers", "Trailer: X", ": x", "X", "X: \u00ff\u0080",
        "X: \u0001", "X-Forwarded-For: ,", "Sec-WebSocket-Protocol: ,,", "Sec-WebSocket-Key: x", "HTTP2-Settings: x",
        "Proxy-Connection: keep-alive",
    ];

    private static readonly string[] Bodies =
        ["", "hello", "5\r\nhello\r\n0\r\n\r\n", "5\r\nhello", "ffffffffffff\r\n", "x\r\n", "0\r\nX: y\r\n\r\n"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_request_however_broken_is_an_error_of_ours(bool hasServerBehind)
    {
        await using var site = new RecordingSite();
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup
        {
            Change = settings => hasServerBehind ? settings with { SiteUpstream = site.Address } : settings,
        });
        using var client = host.Client();
        await client.EnterAsync();
        string[] lines =
        [
            .. Lines, $"Authorization: Bearer {client.SessionToken}", $"Sec-WebSocket-Protocol: tproxy-v1.{client.SessionToken}",
            $"{client.SessionToken}: x", $"Host: {client.SessionToken}", $"Content-Length: {client.SessionToken}",
        ];
        string[] methods =
            ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PRI", "get", "X-Y", "\u0001", client.SessionToken];
        string[] targets = [.. Targets, $"/?bridge={WebHostUnderTest.Capability}", $"/{client.SessionToken}"];
        var random = new Random(20261129);
        var rounds = Environment.GetEnvironmentVariable("PORTICO_SLOW") is null ? 400 : 40_000;
        for (var i = 0; i < rounds; i++)
        {
            var request = new StringBuilder($"{One(methods)} {One(targets)} HTTP/1.{One(["1", "1", "0", "2"])}\r\n");
            if (random.Next(10) > 0) request.Append($"Host: {WebHostUnderTest.Host}\r\n");
            for (var count = random.Next(5); count > 0; count--)
                request.Append(One(lines)).Append("\r\n");
            // Who asks goes away at once: what is wanted is that the server does not mind.
            await RawHttp.SendAsync(host.Server.Address, request.Append("\r\n").Append(One(Bodies)).ToString());
        }

        using var answer = await client.SendAsync(client.Request(HttpMethod.Get, "/"));
        Assert.Equal(hasServerBehind ? HttpStatusCode.OK : HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal([], host.Logs.Lines.Where(line => line.Level >= LogLevel.Warning));

        T One<T>(T[] choices) => choices[random.Next(choices.Length)];
    }
}
