using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Portico.IntegrationTests;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Carriers;

/// <summary>A WebSocket whose other end says nothing any more.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class SilentSocketTests
{
    private const byte Ping = 0x89;

    [Fact]
    public async Task It_is_asked_after_a_while_and_given_up_after_another()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        using var visitor = new TcpClient();
        await visitor.ConnectAsync((IPEndPoint)host.Server.Address);
        var stream = visitor.GetStream();
        using var clock = new CancellationTokenSource(TimeSpan.FromSeconds(80));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(RawHttp.Handshake("/api/v1/ws", $"tproxy-v1.{client.SessionToken}")));
        var buffer = new byte[4096];
        var count = await stream.ReadAsync(buffer, clock.Token);
        Assert.StartsWith("HTTP/1.1 101 ", Encoding.ASCII.GetString(buffer, 0, count), StringComparison.Ordinal);

        var watch = Stopwatch.StartNew();
        Assert.NotEqual(0, await stream.ReadAsync(buffer, clock.Token));
        Assert.Equal(Ping, buffer[0]);
        Assert.InRange(watch.Elapsed.TotalSeconds, 20, 35);
        while (await ReadAsync(stream, buffer, clock.Token) > 0)
        {
        }

        Assert.InRange(watch.Elapsed.TotalSeconds, 40, 70);
    }

    // What is cut off may end either way.
    private static async Task<int> ReadAsync(NetworkStream stream, byte[] buffer, CancellationToken cancel)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancel);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
