using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Portico.IntegrationTests;
using Portico.Web.Tests.Staging;
using Xunit;
using Xunit.Abstractions;

namespace Portico.Web.Tests.Doors;

/// <summary>For how long connections are borne that say too little; all at the same time, as each of them only waits.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class SilentConnectionTests(ITestOutputHelper output)
{
    private static readonly TimeSpan TooLong = TimeSpan.FromSeconds(120);

    // A ClientHello's record, and 20 of the bytes that it says to have.
    private static readonly byte[] HalfHello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, .. new byte[14]];

    [Fact]
    public async Task Half_a_request_or_hello_has_ten_seconds_and_the_next_request_75()
    {
        await using var plain = await WebHostUnderTest.StartAsync();
        await using var tls = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });

        var halfLine = EndAsync(plain, "GET /ind"u8.ToArray());
        var halfHead = EndAsync(plain, "GET / HTTP/1.1\r\nHost: x\r\nAccept"u8.ToArray());
        var halfHello = EndAsync(tls, HalfHello);
        var answered = EndAsync(plain, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());

        AssertAbout("half a line", 10, await halfLine);
        AssertAbout("half a head", 10, await halfHead);
        AssertAbout("half a hello", 10, await halfHello);
        AssertAbout("an answer", 75, await answered);
        Assert.StartsWith("HTTP/1.1 404 ", (await answered).Said, StringComparison.Ordinal);
        Assert.Empty((await halfHello).Said);
    }

    private void AssertAbout(string what, double seconds, (double Seconds, string Said) ended)
    {
        output.WriteLine($"{what}: {ended.Seconds:0.0} s, {ended.Said.Split('\r')[0]}");
        Assert.InRange(ended.Seconds, seconds - 1, seconds + 10);
    }

    // How long after the last byte of ours it ended, in either way, and what came until then.
    private static async Task<(double Seconds, string Said)> EndAsync(WebHostUnderTest host, byte[] bytes)
    {
        using var clock = new CancellationTokenSource(TooLong);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host.Server.Address, clock.Token);
        await socket.SendAsync(bytes, clock.Token);
        var watch = Stopwatch.StartNew();
        var (said, buffer) = ("", new byte[4096]);
        try
        {
            while (await socket.ReceiveAsync(buffer, clock.Token) is var count and > 0)
                said += Encoding.Latin1.GetString(buffer, 0, count);
        }
        catch (SocketException)
        {
            // cut off
        }

        return (watch.Elapsed.TotalSeconds, said);
    }
}
