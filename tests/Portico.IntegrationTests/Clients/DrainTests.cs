using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Clients;

public sealed class DrainTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Draining_lets_sessions_work_and_ends_with_the_last_of_them(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(10);
        var stopped = test.Proxy.StopAsync(TimeSpan.FromMinutes(1));
        await UntilRefusedAsync(test.Endpoint);
        await client.EchoAsync(10_000);
        Assert.False(stopped.IsCompleted);

        client.Wire.FinishSending();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        await stopped.WaitAsync(Wire.Patience);
        await test.Proxy.Completion.WaitAsync(Wire.Patience);
        Assert.Equal(0, test.Proxy.SessionCount);
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total", ("reason", "shutdown")));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Sessions_that_outlast_the_drain_are_closed(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var relayed = await test.GreetAsync();
        await relayed.EchoAsync(10);
        await using var greeted = await test.GreetAsync();
        await using var silent = await test.ConnectAsync();
        await test.Metrics.UntilAsync("portico_connections_accepted_total", 3);
        await test.Proxy.StopAsync(TimeSpan.FromMilliseconds(200)).WaitAsync(Wire.Patience);

        foreach (var client in new[] { relayed, greeted, silent })
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
        await test.UntilClosedAsync("shutdown", "operator", 3);
        Assert.NotEqual(PeerEnd.None, await Assert.Single(test.Telegram.Connections).Ended);
        await test.Proxy.Completion;
    }

    /// <summary>Whoever got in before the listener closed is served like anybody else.</summary>
    private static async Task UntilRefusedAsync(IPEndPoint endpoint)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        while (true)
        {
            clock.Token.ThrowIfCancellationRequested();
            try
            {
                await using var wire = await Wire.ConnectAsync(endpoint);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }
}
