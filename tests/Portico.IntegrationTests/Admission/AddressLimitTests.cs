using Portico.Core.Net;
using Portico.Core.Options;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Admission;

public sealed class AddressLimitTests
{
    private const int PerLoop = 3, Loops = 2, Connections = 40;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_flood_of_silent_connections_keeps_its_share_and_no_client_out(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, Limited);
        await using var before = await test.GreetAsync();
        await before.EchoAsync(10);

        var flood = new List<Wire>();
        try
        {
            for (var i = 0; i < Connections; i++)
                flood.Add(await Wire.ConnectAsync(test.Endpoint));
            await using var client = await test.GreetAsync();
            await client.EchoAsync(100);
            await before.EchoAsync(100);

            // Of each loop the youngest stay; on which loop a connection is, the system decides.
            var least = Connections - (PerLoop * Loops);
            await test.Metrics.UntilAsync("portico_connections_accepted_total", Connections + 2);
            await test.SettleAsync();
            var ended = test.Metrics.Value("portico_connections_closed_total", ("reason", "address_limit"), ("side", "client"));
            Assert.InRange(ended, least, Connections - PerLoop);
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await flood[0].ReadToEndAsync());
        }
        finally
        {
            foreach (var wire in flood)
                await wire.DisposeAsync();
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Who_was_let_in_counts_no_more(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, Limited);
        for (var i = 0; i < Connections; i++)
            await using (await test.GreetAsync())
                continue;
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total", ("reason", "address_limit")));
    }

    private static ProxySettings Limited(ProxySettings settings) =>
        settings with { Limits = new LimitSettings { UnauthenticatedPerAddress = PerLoop * Loops, CountsLoopback = true } };
}
