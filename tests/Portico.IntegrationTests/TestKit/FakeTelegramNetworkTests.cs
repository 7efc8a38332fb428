using System.Net;
using Portico.IntegrationTests.TestKit.Middle;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.TestKit;

/// <summary>All parts of the fake Telegram know of each other.</summary>
public sealed class FakeTelegramNetworkTests
{
    private readonly HttpClient _http = new();

    [Fact]
    public async Task The_site_leads_to_every_middle_proxy()
    {
        await using var network = FakeTelegramNetwork.Start([2, -2, 203]);
        var document = await ReadAsync(network.Site.ConfigUrl);
        Assert.Equal(((short)2, 3), (document.DefaultDc, document.Dcs.Count));
        foreach (var dc in document.Dcs)
        {
            var fake = network.MiddleProxy(dc);
            Assert.Equal(fake.Endpoint, Assert.Single(document.Endpoints(dc)));
            await using var link = await LinkClient.OpenAsync(fake, network.Secret);
            await link.EchoAsync();
            await network.UntilAsync(it => it.MiddleProxy(dc).OpenConnections.Count == 1);
        }
        Assert.All(network.MiddleProxies, fake => Assert.Single(fake.Connections));
        Assert.Contains(2, network.Direct.Endpoints);
    }

    [Fact]
    public async Task Addresses_come_and_go()
    {
        await using var network = FakeTelegramNetwork.Start([2]);
        var old = network.MiddleProxy(2);
        await using var link = await LinkClient.OpenAsync(old, network.Secret);
        var added = network.Add(2);
        var addedV6 = network.Add(2, address: IPAddress.IPv6Loopback);
        Assert.Equal([old.Endpoint, added.Endpoint], await EndpointsAsync(network.Site.ConfigUrl));
        Assert.Equal([addedV6.Endpoint], await EndpointsAsync(network.Site.ConfigV6Url));

        network.Retire(old);
        Assert.Equal([added.Endpoint], await EndpointsAsync(network.Site.ConfigUrl));
        await link.EchoAsync();
    }

    [Fact]
    public async Task A_broken_rule_fails_the_test_at_its_end()
    {
        var network = FakeTelegramNetwork.Start([2]);
        await using (var link = await LinkClient.OpenAsync(network.MiddleProxy(2), network.Secret))
        {
            await link.SendAsync(MiddlePayload.CloseConn(1));
            await network.UntilAsync(it => it.Violations.Count > 0);
        }
        await Assert.ThrowsAsync<PeerSurpriseException>(async () => await network.DisposeAsync());
    }

    private async Task<IPEndPoint[]> EndpointsAsync(Uri url) => [.. (await ReadAsync(url)).Endpoints(2)];

    private async Task<ProxyConfigDocument> ReadAsync(Uri url) => ProxyConfigDocument.Parse(await _http.GetStringAsync(url));
}
