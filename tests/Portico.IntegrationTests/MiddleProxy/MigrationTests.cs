using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>Telegram closes each link every 30 to 70 s; clients must not notice (spec/03 section 7).</summary>
public sealed class MigrationTests
{
    public static TheoryData<EngineKind, PeerEnd> EveryEnd => Engines.With(PeerEnd.Fin, PeerEnd.Reset);

    [Theory]
    [MemberData(nameof(EveryEnd))]
    public async Task A_client_at_rest_moves_to_another_link_and_does_not_notice(EngineKind engine, PeerEnd end)
    {
        await using var test = await MiddleStage.StartAsync(engine, links: 2, MiddleStage.Clock());
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        test.Advance(MiddleStage.Rest);
        var old = test.LinkOf(client);
        await old.EndAsync(end);
        await test.UntilMigratedAsync("ok", 1);
        await client.EchoAsync(64);

        var link = test.LinkOf(client);
        Assert.NotSame(old, link);
        Assert.NotEqual(Assert.Single(old.Clients).Id, Assert.Single(link.Clients).Id);
        Assert.Empty(old.CloseConns);
        await test.UntilLinksAsync(2);
        Assert.Equal(1, test.Metrics.Value("portico_dc_clients"));
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total"));
    }

    [Theory]
    [MemberData(nameof(EveryEnd))]
    public async Task All_clients_of_the_busiest_link_move(EngineKind engine, PeerEnd end)
    {
        await using var test = await MiddleStage.StartAsync(engine, links: 2, MiddleStage.Clock());
        var clients = await test.GreetManyAsync(5);
        test.Advance(MiddleStage.Rest);
        var busiest = test.Fake().OpenConnections.MaxBy(link => link.OpenClientCount)!;
        Assert.Equal(3, busiest.OpenClientCount);
        await busiest.EndAsync(end);
        await test.UntilMigratedAsync("ok", 3);
        foreach (var client in clients)
            await client.EchoAsync(64);
        await test.Metrics.UntilAsync("portico_dc_clients", 5);
        await clients.DisposeAllAsync();
    }

    [Theory]
    [MemberData(nameof(EveryEnd))]
    public async Task Who_waits_for_an_answer_of_a_dead_link_is_closed_and_nobody_else(EngineKind engine, PeerEnd end)
    {
        await using var test = await MiddleStage.StartAsync(engine, links: 1, MiddleStage.Clock());
        await using var resting = await test.GreetAsync();
        await using var silent = await test.GreetAsync();
        await using var waiting = await test.GreetAsync();
        await resting.EchoAsync(64);
        await silent.SendHeaderAsync();
        test.Advance(MiddleStage.Rest);
        var link = Assert.Single(test.Fake().OpenConnections);
        link.Answering.Close();
        await waiting.SendAsync(TestFrame.Create(TestCommand.Echo, new byte[64]));
        await test.Network.UntilAsync(network => network.MiddleProxy(2).Requests.Count == 2);
        await test.Metrics.UntilAsync("portico_dc_clients", 3);
        await link.EndAsync(end);

        await waiting.ExpectEndAsync();
        await test.UntilClosedAsync("mid_send", "telegram");
        await test.UntilMigratedAsync("mid_send", 1);
        await test.UntilMigratedAsync("ok", 2);
        await resting.EchoAsync(64);
        await silent.EchoAsync(64);
    }

    [Theory]
    [MemberData(nameof(EveryEnd))]
    public async Task What_a_client_sends_while_there_is_no_link_arrives_on_the_next_one(EngineKind engine, PeerEnd end)
    {
        await using var test = await MiddleStage.StartAsync(engine, links: 1, MiddleStage.Clock());
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        test.Advance(MiddleStage.Rest);
        await test.Fake().StopListeningAsync();
        await test.Fake().EndAllAsync(end);
        await test.UntilLinksAsync(0);
        var body = RandomNumberGenerator.GetBytes(100_000);
        var sending = client.SendAsync(TestFrame.Create(TestCommand.Echo, body));
        await test.SettleAsync();
        test.Fake().ListenAgain();
        await test.AdvanceUntilAsync(TimeSpan.FromMilliseconds(50), () => test.Fake().OpenConnections.Count > 0);
        await client.ExpectEchoAsync(body);
        await sending;
        await test.UntilMigratedAsync("ok", 1);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Who_gets_no_link_within_ten_seconds_is_closed(EngineKind engine)
    {
        await using var test = ProxyUnderTest.StartMiddle(
            engine, settings => settings with { Loops = 1, Middle = settings.Middle with { InitialConnections = 0 } },
            time: MiddleStage.Clock());
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        test.Advance(MiddleStage.Rest);
        await test.Fake().StopListeningAsync();
        await test.Fake().EndAllAsync();
        await test.UntilLinksAsync(0);
        test.Advance(TimeSpan.FromSeconds(9.5));
        await test.SettleAsync();
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total"));
        test.Advance(TimeSpan.FromSeconds(1));
        await client.ExpectEndAsync();
        await test.UntilClosedAsync("pool_empty", "telegram");
        await test.UntilMigratedAsync("empty", 1);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_new_client_waits_five_seconds_for_a_first_link(EngineKind engine)
    {
        await using var test = await MiddleStage.StartAsync(engine, links: 1, MiddleStage.Clock());
        test.Advance(MiddleStage.Rest);
        await test.Fake().StopListeningAsync();
        await test.Fake().EndAllAsync();
        await test.UntilLinksAsync(0);
        await using var unlucky = await test.GreetAsync(ClientKind.Abridged.Profile());
        await unlucky.SendHeaderAsync();
        await test.Metrics.UntilAsync("portico_protocol_ok_total", 1);
        test.Advance(TimeSpan.FromSeconds(4.5));
        await test.SettleAsync();
        await using var lucky = await test.GreetAsync(ClientKind.Abridged.Profile());
        var body = RandomNumberGenerator.GetBytes(64);
        await lucky.SendAsync(TestFrame.Create(TestCommand.Echo, body));
        await test.Metrics.UntilAsync("portico_protocol_ok_total", 2);
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total"));
        test.Advance(TimeSpan.FromSeconds(1));
        await unlucky.ExpectEndAsync();
        await test.UntilClosedAsync("pool_empty", "telegram");

        test.Fake().ListenAgain();
        await test.AdvanceUntilAsync(TimeSpan.FromMilliseconds(100), () => test.Fake().OpenConnections.Count > 0);
        await lucky.ExpectEchoAsync(body);
    }
}
