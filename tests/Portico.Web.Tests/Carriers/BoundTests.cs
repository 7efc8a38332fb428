using System.Net;
using System.Net.Sockets;
using System.Text;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Carriers;

/// <summary>How much a request may bring, and how many may be half done: at each bound, and one above it.</summary>
public sealed class BoundTests
{
    private const int KiB = 1024, MostBody = 2 * KiB * KiB;

    private const int MostBodies = 16;

    public static TheoryData<Way> All => Ways.All;

    [Theory]
    [InlineData("/")]
    [InlineData("/api/v1/up")]
    public async Task Headers_of_15_KiB_are_the_sites_and_of_17_nobodys_whoever_sends_them(string path)
    {
        await using var site = new RecordingSite();
        await using var host = await WebHostUnderTest.StartAsync(
            new HostSetup { Change = settings => settings with { SiteUpstream = site.Address } });
        using var client = host.Client();
        await client.EnterAsync();

        var answer = await RawHttp.AskAsync(host.Server.Address, Request("POST", path, 15 * KiB));
        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nServer: site\r\n", answer, StringComparison.Ordinal);
        var request = Assert.Single(site.Requests);
        Assert.Contains(new string('x', 14 * KiB), request, StringComparison.Ordinal);

        var tooLarge = RawHttp.WithoutDate(await RawHttp.AskAsync(host.Server.Address, Request("POST", path, 17 * KiB)));
        Assert.StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n", tooLarge, StringComparison.Ordinal);
        Assert.DoesNotContain("no-store", tooLarge, StringComparison.Ordinal);
        Assert.Single(site.Requests);

        // With a good token in its place it is the same answer, to the byte.
        var token = $"Authorization: Bearer {client.SessionToken}\r\nContent-Type: application/octet-stream\r\nX-Up-Seq: 1\r\n";
        var asApp = await RawHttp.AskAsync(host.Server.Address, Request("POST", path, 17 * KiB, token));
        Assert.Equal(tooLarge, RawHttp.WithoutDate(asApp));
        Assert.Equal(1, host.Sessions.Count);
    }

    [Fact]
    public async Task A_session_takes_frames_with_headers_of_15_KiB()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        var frames = Encoding.Latin1.GetString(AppFrame.Open(1));
        var token = $"Authorization: Bearer {client.SessionToken}\r\nContent-Type: application/octet-stream\r\nX-Up-Seq: 1\r\n";

        var answer = await RawHttp.AskAsync(host.Server.Address, Request("POST", "/api/v1/up", 15 * KiB, token, frames));

        Assert.StartsWith("HTTP/1.1 204 ", answer, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_body_of_2_MiB_is_taken(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();

        using var taken = await client.PostAsync(1, Frames(MostBody));

        PagelessClient.Expect(taken, HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_body_that_will_be_a_byte_longer_is_refused_at_once_and_the_session_lives()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        string Head(int length) => $"POST /api/v1/up HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nX-Up-Seq: 1\r\n"
            + $"Authorization: Bearer {client.SessionToken}\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n";

        // Not a byte of it is sent: whoever is still sending when the connection ends may hear of a reset alone.
        var answer = await RawHttp.AskAsync(host.Server.Address, Head(MostBody + 1));
        Assert.StartsWith("HTTP/1.1 404 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nCache-Control: no-store\r\n", answer, StringComparison.Ordinal);

        using var next = await client.PostAsync(1, AppFrame.Open(1));
        PagelessClient.Expect(next, HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_body_that_is_a_byte_longer_over_HTTP_2_is_refused_and_the_connection_lives()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        using var client = host.Client(HttpVersion.Version20);
        await client.EnterAsync();

        using (var refused = await client.PostAsync(1, [.. Frames(MostBody), 0])) PagelessClient.Expect(refused, HttpStatusCode.NotFound);

        using var next = await client.PostAsync(1, AppFrame.Open(1));
        PagelessClient.Expect(next, HttpStatusCode.NoContent);
        Assert.Equal(1, client.Connections);
    }

    [Fact]
    public async Task The_17th_body_that_does_not_end_is_asked_to_come_again()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        var frames = AppFrame.Open(1);
        var bodies = new List<TcpClient>();
        for (var i = 0; i < MostBodies; i++)
        {
            bodies.Add(new TcpClient());
            Assert.Equal("HTTP/1.1 100", await BeginAsync(bodies[i]));
        }

        using (var again = await client.PostAsync(1, frames))
        {
            PagelessClient.Expect(again, HttpStatusCode.ServiceUnavailable);
            Assert.Equal("1", PagelessClient.Header(again, "Retry-After"));
        }

        using (var another = new TcpClient()) Assert.Equal("HTTP/1.1 503", await BeginAsync(another));
        Assert.Equal(2, host.Metrics.Value("portico_web_refused_total", ("listener", "front"), ("reason", "bodies")));

        // Of another session there may be as many, and where one has ended there is room.
        using (var other = host.Client())
        {
            await other.EnterAsync();
            using var taken = await other.PostAsync(1, frames);
            PagelessClient.Expect(taken, HttpStatusCode.NoContent);
        }

        await bodies[0].GetStream().WriteAsync(frames);
        Assert.Equal("HTTP/1.1 204", await StatusAsync(bodies[0]));
        using (var next = await client.PostAsync(2, AppFrame.Open(2))) PagelessClient.Expect(next, HttpStatusCode.NoContent);
        foreach (var body in bodies) body.Dispose();

        // The server says 100 when it begins to wait for the body.
        async Task<string> BeginAsync(TcpClient visitor)
        {
            await visitor.ConnectAsync((IPEndPoint)host.Server.Address);
            await visitor.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /api/v1/up HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nAuthorization: Bearer {client.SessionToken}\r\n"
                + "Content-Type: application/octet-stream\r\nX-Up-Seq: 1\r\nExpect: 100-continue\r\n"
                + $"Content-Length: {frames.Length}\r\n\r\n"));
            return await StatusAsync(visitor);
        }
    }

    private static async Task<string> StatusAsync(TcpClient visitor)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        var head = "";
        var one = new byte[1];
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await visitor.GetStream().ReadExactlyAsync(one, clock.Token);
            head += (char)one[0];
        }

        return head[..12];
    }

    // Whose headers, without the line above them, are so long.
    private static string Request(string method, string path, int headers, string more = "", string body = "")
    {
        var head = $"Host: {WebHostUnderTest.Host}\r\n{more}Content-Length: {body.Length}\r\nConnection: close\r\nX-Large: ";
        const string End = "\r\n\r\n";
        return $"{method} {path} HTTP/1.1\r\n{head}{new string('x', headers - head.Length - End.Length)}{End}{body}";
    }

    // A batch of exactly so many bytes.
    private static byte[] Frames(int length)
    {
        var frames = AppFrame.Open(1);
        while (frames.Length < length)
        {
            var payload = Math.Min(WebFrameHeader.MaxPayload, length - frames.Length - WebFrameHeader.Length);
            frames = [.. frames, .. AppFrame.Data(1, new byte[payload])];
        }

        return frames;
    }
}
