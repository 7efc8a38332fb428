using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Carriers;

/// <summary>Answers with frames that break off: after each of their bytes in turn.</summary>
public sealed class CutAnswerTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_an_answer_held_that_broke_off_is_in_the_next_one_wherever_it_broke(bool hasLanes)
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        uint? lane = hasLanes ? 1 : null;
        await PostAsync(client, 1, AppFrame.Open(1), lane);
        var (cursor, length, isWhole) = (0UL, 0, false);
        for (var cut = 0; !isWhole; cut++)
        {
            var bytes = RandomNumberGenerator.GetBytes(30);
            await PostAsync(client, (ulong)cut + 2, AppFrame.Data(1, bytes), lane);

            // The first half of the echo is asked for by somebody who goes, the whole of it by somebody who stays.
            (var part, isWhole) = await AskAndGoAsync(host.Server.Address, Request(client, cursor, lane), cut);
            var got = new List<byte>();
            while (got.Count < bytes.Length)
            {
                using var answer = await client.AskAsync(cursor, lane);
                PagelessClient.Expect(answer, HttpStatusCode.OK);
                Assert.Equal($"{++cursor}", PagelessClient.Header(answer, "X-Down-Cursor"));
                var body = await answer.Content.ReadAsByteArrayAsync();
                if (got.Count == 0) AssertBegins(part, body);
                foreach (var frame in AppFrame.ReadAll(body).Where(frame => frame.Type == WebFrameType.Data)) got.AddRange(frame.Payload);
            }

            Assert.Equal(bytes, got);
            length = Math.Max(length, cut);
        }

        // Headers and frames were gone through.
        Assert.InRange(length, 150, 1000);
        Assert.Equal(1, host.Sessions.Count);
    }

    private static async Task PostAsync(PagelessClient client, ulong number, byte[] frame, uint? lane)
    {
        using var answer = await client.PostAsync(number, frame, lane);
        PagelessClient.Expect(answer, HttpStatusCode.NoContent);
    }

    private static string Request(PagelessClient client, ulong cursor, uint? lane) =>
        $"POST /api/v1/down HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nAuthorization: Bearer {client.SessionToken}\r\n"
        + $"X-Down-Cursor: {cursor}\r\nContent-Length: 0\r\n{(lane is null ? "" : $"X-Lane-ID: {lane}\r\n")}\r\n";

    // Takes so many bytes of the answer and resets the connection.
    private static async Task<(byte[] Part, bool IsWhole)> AskAndGoAsync(EndPoint server, string request, int count)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        await socket.ConnectAsync(server, clock.Token);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), clock.Token);
        var (part, at, isWhole) = (new byte[count], 0, false);
        while (at < count && !isWhole)
        {
            var came = await socket.ReceiveAsync(part.AsMemory(at), clock.Token);
            Assert.NotEqual(0, came);
            at += came;
            isWhole = RawHttp.IsWhole(Encoding.Latin1.GetString(part, 0, at), hasNoBody: false);
        }

        return (part[..at], isWhole);
    }

    private static void AssertBegins(byte[] part, byte[] body)
    {
        var head = Encoding.Latin1.GetString(part).IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (head < 0) return;
        var had = part.AsSpan(head + 4);
        Assert.True(body.AsSpan().StartsWith(had), "the same answer with other frames");
    }
}
