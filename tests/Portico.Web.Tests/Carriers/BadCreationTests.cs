using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Portico.IntegrationTests;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;
using Xunit.Abstractions;

namespace Portico.Web.Tests.Carriers;

/// <summary>A thousand requests a second that would create sessions and may not, beside an app that has one.</summary>
[Collection(nameof(Measured))]
[Trait(Suite.Trait, Suite.Minutes)]
public sealed class BadCreationTests(ITestOutputHelper output)
{
    private const int ASecond = 1000, Pairs = 9;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    /// <summary>What is wrong with them.</summary>
    public enum Wrong
    {
        /// <summary>Nobody has signed their token: they see the site.</summary>
        Token,

        /// <summary>The token was used up: each is looked up.</summary>
        Used,

        /// <summary>The token is good, and what should be HELLO is not.</summary>
        Body,
    }

    [Theory]
    [InlineData(Wrong.Token)]
    [InlineData(Wrong.Used)]
    [InlineData(Wrong.Body)]
    public async Task They_leave_others_what_they_have(Wrong wrong)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Users = 2 });
        using var client = new PagelessClient(host.Server.Address, host.BridgeUrlOf(1), HttpVersion.Version11, isTls: false);
        await client.EnterAsync();
        using var carrier = PagelessCarrier.Of(WebCarrier.WebSocket, client);
        await carrier.SendAsync(1, AppFrame.Open(1));
        var request = await RequestAsync(host, wrong);
        var (shares, asked) = (new List<double>(), 0);
        await RoundAsync(isBesieged: false);
        for (var pair = 0; pair < Pairs; pair++)
        {
            var isFirst = pair % 2 == 0;
            var first = await RoundAsync(isFirst);
            var second = await RoundAsync(!isFirst);
            shares.Add(isFirst ? first / second : second / first);
        }

        var median = shares.Order().ElementAt(Pairs / 2);
        var rate = asked / (Pairs * Round.TotalSeconds);
        output.WriteLine($"{wrong}: {rate:0} bad requests a second leave the others {median:P1}");
        Assert.InRange(rate, 0.9 * ASecond, 1.2 * ASecond);
        Assert.True(median >= 0.95, $"{median:P1}");
        Assert.Equal(1, host.Sessions.Count);

        async Task<double> RoundAsync(bool isBesieged)
        {
            using var over = new CancellationTokenSource();
            var server = (IPEndPoint)host.Server.Address;
            var siege = isBesieged
                ? Task.Factory.StartNew(() => Besiege(server, request, over.Token), TaskCreationOptions.LongRunning)
                : Task.FromResult(0);
            var bytes = await TransferAsync(carrier);
            await over.CancelAsync();
            asked += await siege;
            return bytes;
        }
    }

    private static async Task<byte[]> RequestAsync(WebHostUnderTest host, Wrong wrong)
    {
        using var other = host.Client();
        await other.OpenPageAsync();
        if (wrong == Wrong.Used)
        {
            await other.CreateAsync();
            (await other.DeleteAsync()).Dispose();
        }

        var token = wrong == Wrong.Token ? new string('A', WebTokenKey.TextLength) : other.Bootstrap;
        var body = wrong == Wrong.Body ? "\u0010\0\0\0\0\0\0\u0001\u0002" : Encoding.Latin1.GetString(WebFrame.Hello);
        return Encoding.Latin1.GetBytes(
            $"POST /api/v1/session HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nAuthorization: Bearer {token}\r\n"
            + $"Content-Type: application/octet-stream\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }

    // Bytes a second that come back.
    private static async Task<double> TransferAsync(PagelessCarrier carrier)
    {
        const int Piece = 60_000;
        var content = new byte[Piece];
        var (began, bytes) = (Stopwatch.GetTimestamp(), 0L);
        while (Stopwatch.GetElapsedTime(began) < Round)
        {
            await carrier.SendAsync(1, AppFrame.Data(1, content));
            await carrier.ReadAsync(1, Piece);
            await carrier.SendAsync(1, AppFrame.Window(1, Piece));
            bytes += Piece;
        }

        return bytes / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    // Ten at a time, by the clock.
    private static int Besiege(IPEndPoint server, byte[] request, CancellationToken over)
    {
        const int AtATime = 10;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        (socket.NoDelay, socket.ReceiveTimeout) = (true, (int)Wire.Patience.TotalMilliseconds);
        socket.Connect(server);
        byte[] requests = [.. Enumerable.Repeat(request, AtATime).SelectMany(one => one)];
        var (buffer, asked, began) = (new byte[64 * 1024], 0, Stopwatch.GetTimestamp());
        while (!over.IsCancellationRequested)
        {
            var early = TimeSpan.FromSeconds((double)asked / ASecond) - Stopwatch.GetElapsedTime(began);
            if (early > TimeSpan.Zero) over.WaitHandle.WaitOne(early);
            socket.Send(requests);
            // None of them has a body.
            for (var text = ""; text.Split("\r\n\r\n").Length <= AtATime;)
            {
                var count = socket.Receive(buffer);
                Assert.NotEqual(0, count);
                text += Encoding.Latin1.GetString(buffer, 0, count);
                Assert.DoesNotContain("HTTP/1.1 200 ", text, StringComparison.Ordinal);
            }

            asked += AtATime;
        }

        return asked;
    }
}
