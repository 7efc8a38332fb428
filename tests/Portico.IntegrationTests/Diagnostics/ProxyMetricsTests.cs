using Portico.Core.Net;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Xunit;

namespace Portico.IntegrationTests.Diagnostics;

/// <summary>The numbers an operator sees agree with what the peers did.</summary>
public sealed class ProxyMetricsTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Bytes_and_connections_are_counted_as_the_peers_count_them(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using (var client = await test.GreetAsync(
            new ClientProfile { Mode = ClientMode.Plain, Transport = Transport.Intermediate, Dc = -5 }))
        {
            await client.EchoAsync(10_000);
            await client.DownloadAsync(10, 10_000);
            await test.Metrics.UntilAsync("portico_connections", 1, ("listener", ProxyUnderTest.Listener), ("state", "relaying"));
        }
        await test.UntilClosedAsync("client_closed", "client");
        await test.Metrics.UntilAsync("portico_session_duration_seconds", 1, ("listener", ProxyUnderTest.Listener));
        var dc = Assert.Single(test.Telegram.Connections);
        await dc.Ended;

        Assert.Equal(dc.BytesReceived, test.Metrics.Value("portico_dc_sent_bytes_total", ("dc", "-5")));
        Assert.Equal(dc.BytesSent, test.Metrics.Value("portico_dc_received_bytes_total", ("dc", "-5")));
        // both headers have 64 bytes
        Assert.Equal(dc.BytesReceived, test.Metrics.Value("portico_client_received_bytes_total", ("listener", ProxyUnderTest.Listener)));
        Assert.Equal(dc.BytesSent, test.Metrics.Value("portico_client_sent_bytes_total", ("listener", ProxyUnderTest.Listener)));
        Assert.Equal(1, test.Metrics.Value("portico_connections_accepted_total", ("listener", ProxyUnderTest.Listener)));
        Assert.Equal(1, test.Metrics.Value("portico_dc_connect_total", ("dc", "-5"), ("result", "ok")));
        Assert.Equal(0, test.Metrics.Value("portico_connections"));
    }
}
