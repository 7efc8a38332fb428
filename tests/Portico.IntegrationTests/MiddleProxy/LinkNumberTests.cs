using Portico.Core.Net;
using Portico.Core.Options;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>How many links there are, who is on which (spec/03 section 6), and how both end.</summary>
public sealed class LinkNumberTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task The_number_at_start_is_per_data_centre_and_process(EngineKind engine)
    {
        await using var network = FakeTelegramNetwork.Start([1, 2, -2]);
        await using var test = ProxyUnderTest.StartMiddle(
            engine, network, settings => settings with { Loops = 3, Middle = settings.Middle with { InitialConnections = 4 } });
        await test.UntilLinksAsync(12);
        Assert.All(network.MiddleProxies, fake => Assert.Equal(4, fake.OpenConnections.Count));
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        Assert.All(network.MiddleProxies, fake => Assert.Equal(4, fake.Connections.Count));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task With_none_at_start_the_first_client_has_one_made(EngineKind engine)
    {
        await using var network = FakeTelegramNetwork.Start([1, 2]);
        await using var test = ProxyUnderTest.StartMiddle(
            engine, network, settings => settings with { Loops = 1, Middle = settings.Middle with { InitialConnections = 0 } });
        await network.Site.UntilAsync(site => site.Requests.Count >= 3);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        Assert.Single(network.MiddleProxy(2).Connections);
        Assert.Empty(network.MiddleProxy(1).Connections);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Loops_beyond_the_number_at_start_make_their_links_on_demand(EngineKind engine)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine, settings => settings with { Loops = 3 });
        await test.UntilLinksAsync(1);
        var clients = await test.GreetManyAsync(24);
        Assert.InRange(test.Fake().OpenConnections.Count, 1, 3);
        Assert.Equal(24, test.Fake().OpenConnections.Sum(link => link.OpenClientCount));
        await clients.DisposeAllAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task One_client_too_many_makes_two_links_and_the_next_ones_go_there(EngineKind engine)
    {
        await using var test = await MiddleStage.StartAsync(
            engine, links: 1, MiddleStage.Clock(), new MiddleProxySettings { ClientsPerConnection = 5 });
        var clients = await test.GreetManyAsync(5);
        Assert.Single(test.Fake().Connections);
        clients.Add(await test.GreetAsync());
        await clients[^1].EchoAsync(64);
        await test.UntilLinksAsync(3);
        clients.AddRange(await test.GreetManyAsync(9));
        Assert.Equal([4, 5, 6], test.Fake().OpenConnections.Select(link => link.OpenClientCount).Order());
        Assert.Equal(3, test.Fake().Connections.Count);
        await clients.DisposeAllAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task While_new_links_are_not_ready_clients_go_on_and_at_most_ten_are_made(EngineKind engine)
    {
        await using var test = await MiddleStage.StartAsync(
            engine, links: 1, MiddleStage.Clock(), new MiddleProxySettings { ClientsPerConnection = 4 });
        test.Fake().Behaviour = new MiddleBehaviour { FailsAt = MiddleStep.NonceCame, Fault = MiddleFault.Silence };
        var clients = await test.GreetManyAsync(5);
        await test.Network.UntilAsync(network => network.MiddleProxy(2).Connections.Count == 3);
        clients.AddRange(await test.GreetManyAsync(1));
        await test.SettleAsync();
        Assert.Equal(3, test.Fake().Connections.Count);
        clients.AddRange(await test.GreetManyAsync(4));
        await test.Network.UntilAsync(network => network.MiddleProxy(2).Connections.Count == 11);
        clients.AddRange(await test.GreetManyAsync(4));
        await test.SettleAsync();
        Assert.Equal(11, test.Fake().Connections.Count);
        Assert.Equal(14, test.Fake().Connections[0].OpenClientCount);
        await clients.DisposeAllAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Where_no_further_link_can_be_had_clients_do_not_make_attempts_more_frequent(EngineKind engine)
    {
        await using var test = await MiddleStage.StartAsync(
            engine, links: 1, MiddleStage.Clock(), new MiddleProxySettings { ClientsPerConnection = 2 });
        await test.Fake().StopListeningAsync();
        var clients = await test.GreetManyAsync(3);
        await test.Metrics.UntilAsync("portico_dc_connect_total", 2, ("result", "refused"));
        clients.AddRange(await test.GreetManyAsync(8));
        await test.SettleAsync();
        Assert.Equal(2, test.Metrics.Value("portico_dc_connect_total", ("result", "refused")));

        test.Fake().ListenAgain();
        test.Advance(TimeSpan.FromSeconds(1));
        clients.AddRange(await test.GreetManyAsync(1));
        await test.UntilLinksAsync(3);
        await clients.DisposeAllAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Links_without_clients_close_after_two_minutes_down_to_the_number_at_start(EngineKind engine)
    {
        await using var test = await MiddleStage.StartAsync(
            engine, links: 1, MiddleStage.Clock(), new MiddleProxySettings { ClientsPerConnection = 2 });
        var clients = await test.GreetManyAsync(3);
        await test.UntilLinksAsync(3);
        await clients.DisposeAllAsync();
        await test.UntilEmptyAsync();
        await AdvanceAsync(test, seconds: 115);
        Assert.Equal(3, test.Fake().OpenConnections.Count);
        await AdvanceAsync(test, seconds: 20, isHeard: false);
        await test.Network.UntilAsync(network => network.MiddleProxy(2).OpenConnections.Count == 1);
        await AdvanceAsync(test, seconds: 300);
        Assert.Equal(1, test.Metrics.Value("portico_dc_connections"));
        Assert.Equal(3, test.Fake().Connections.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task RPC_CLOSE_CONN_comes_once_for_each_client_that_sent_something_and_for_no_other(EngineKind engine)
    {
        await using var test = await MiddleStage.StartAsync(engine, links: 1, MiddleStage.Clock());
        var senders = await test.GreetManyAsync(6);
        var silent = new List<FakeClient>();
        for (var i = 0; i < 3; i++)
        {
            silent.Add(await test.GreetAsync());
            await silent[i].SendHeaderAsync();
        }
        await test.Metrics.UntilAsync("portico_dc_clients", 9);
        await silent.DisposeAllAsync();
        senders[0].Wire.Reset();
        senders[1].Wire.FinishSending();
        await senders.Skip(1).DisposeAllAsync();
        await test.UntilEmptyAsync();
        var link = Assert.Single(test.Fake().Connections);
        await link.PingAsync();
        Assert.Equal(link.Clients.Select(client => client.Id).Order(), link.CloseConns.Order());
        Assert.Equal(6, link.CloseConns.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Stopping_ends_every_client_and_every_link(EngineKind engine)
    {
        await using var test = ProxyUnderTest.StartMiddle(
            engine, settings => settings with { Middle = settings.Middle with { InitialConnections = 4 } });
        await test.UntilLinksAsync(4);
        var clients = await test.GreetManyAsync(8);
        test.Fake().Behaviour = new MiddleBehaviour { FailsAt = MiddleStep.NonceCame, Fault = MiddleFault.Silence };
        await test.Proxy.StopAsync(TimeSpan.Zero).WaitAsync(Wire.Patience);
        foreach (var client in clients)
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        foreach (var link in test.Fake().Connections)
            Assert.NotEqual(PeerEnd.None, await link.Ended);
        await test.UntilClosedAsync("shutdown", "operator", 8);
        Assert.Equal(0, test.Proxy.SessionCount);
        Assert.Equal(4, test.Fake().Connections.Count);
        await clients.DisposeAllAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task While_a_stop_waits_for_clients_links_are_replaced(EngineKind engine)
    {
        await using var test = await MiddleStage.StartAsync(engine, links: 1, MiddleStage.Clock());
        await using var client = await test.GreetAsync(); // which has not said yet where it wants to go
        var stopped = test.Proxy.StopAsync(TimeSpan.FromMinutes(1));
        await test.Fake().EndAllAsync();
        var echo = client.EchoAsync(64);
        for (; !echo.IsCompleted; await Task.WhenAny(echo, Task.Delay(20)))
            test.Advance(TimeSpan.FromMilliseconds(50)); // the next attempt comes by the clock
        await echo;
        await client.DisposeAsync();
        await stopped.WaitAsync(Wire.Patience);
    }

    // In steps, with a word from each link in between: a minute of silence alone would be a reason to ask.
    private static async Task AdvanceAsync(ProxyUnderTest test, int seconds, bool isHeard = true)
    {
        for (var i = 0; i < seconds; i += 5)
        {
            test.Advance(TimeSpan.FromSeconds(5));
            await test.SettleAsync();
            await test.AcknowledgedAsync();
            if (i % 30 != 0 || !isHeard)
                continue;
            foreach (var link in test.Fake().OpenConnections)
                await link.PingAsync();
        }
    }
}
