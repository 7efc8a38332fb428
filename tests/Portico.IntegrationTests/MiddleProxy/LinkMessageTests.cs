using Portico.Core.Net;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>What a middle proxy may say on a link besides answers (spec/03 section 4), and the ways in which it may write.</summary>
public sealed class LinkMessageTests
{
    public static TheoryData<EngineKind, MiddleBehaviour> EveryManner => Engines.With(
        new MiddleBehaviour { PadsEveryFrame = true },
        new MiddleBehaviour { PadsNonce = true, SurplusPadding = 48 },
        new MiddleBehaviour { Piece = 1 },
        new MiddleBehaviour { Piece = 17, PadsNonce = true });

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_that_Telegram_ends_gets_what_was_for_it_and_then_FIN(EngineKind engine)
    {
        await using var test = Start(engine);
        await using var neighbour = await test.GreetAsync();
        await using var client = await test.GreetAsync();
        await client.AskForAsync(16, 65536);
        await client.CommandAsync(TestCommand.Finish);
        await client.ExpectSourceAsync(16, 65536);
        await client.ExpectEndAsync();
        await test.UntilClosedAsync("dc_closed", "telegram");
        await neighbour.EchoAsync(64);
        Assert.Empty(Link(test).CloseConns);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task RPC_CLOSE_CONN_of_the_middle_proxy_ends_a_client_as_well(EngineKind engine)
    {
        await using var test = Start(engine);
        await using var neighbour = await test.GreetAsync();
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        await Link(test).SendAsync(MiddlePayload.CloseConn(Link(test).Clients[0].Id));
        await client.ExpectEndAsync();
        await test.UntilClosedAsync("dc_closed", "telegram");
        await neighbour.EchoAsync(64);
        Assert.Empty(Link(test).CloseConns);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Answers_for_nobody_are_answered_with_RPC_CLOSE_CONN_and_ends_of_nobody_are_not(EngineKind engine)
    {
        await using var test = Start(engine);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        var link = Link(test);
        var id = link.Clients[0].Id;
        await link.SendAsync(
            MiddlePayload.CloseExt(id + 1),
            MiddlePayload.CloseConn(id + 2),
            MiddlePayload.ProxyAns(id + 3, new byte[16]),
            MiddlePayload.SimpleAck(id + 4, [1, 2, 3, 0x84]));
        await link.PingAsync();
        await client.EchoAsync(64);
        Assert.Equal([id + 3, id + 4], link.CloseConns);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task What_is_not_understood_is_passed_over(EngineKind engine)
    {
        await using var test = Start(engine);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        var link = Link(test);
        var id = link.Clients[0].Id;
        await link.SendAsync(
            MiddlePayload.Unknown,
            [],
            [1, 2, 3, 4],
            [.. MiddlePayload.CloseExt(id), 0, 0, 0, 0],   // a known constructor of another length is another one
            MiddlePayload.CloseExt(id)[..8],
            MiddlePayload.ProxyAns(id, [])[..12],
            MiddlePayload.SimpleAck(id, [1, 2, 3, 0x84])[..12],
            MiddlePayload.Pong(7),
            MiddlePayload.Ping(7)[..8]);
        await link.PingAsync();
        await client.EchoAsync(64);
        Assert.True(link.IsOpen);
        Assert.Empty(link.CloseConns);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Frames_of_many_clients_may_share_one_padding(EngineKind engine)
    {
        await using var test = Start(engine);
        var clients = new List<FakeClient>();
        for (var i = 0; i < 6; i++)
        {
            clients.Add(await test.GreetAsync(Enum.GetValues<ClientKind>()[i % 4].Profile()));
            await clients[i].EchoAsync(64);
        }
        var link = Link(test);
        var frames = Enumerable.Range(0, 30)
            .Select(i => TestFrame.Create(TestCommand.Echo, BitConverter.GetBytes(i).Concat(new byte[4 * (i % 7)]).ToArray())).ToArray();
        await link.SendAsync([.. frames.Select((frame, i) => MiddlePayload.ProxyAns(link.Clients[i % 6].Id, frame))]);
        for (var i = 0; i < frames.Length; i++)
            Assert.Equal(frames[i], (await clients[i % 6].ReceiveAsync())[..frames[i].Length]);
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(EveryManner))]
    public async Task A_middle_proxy_may_pad_and_cut_as_it_likes(EngineKind engine, MiddleBehaviour behaviour)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine, settings => settings with { Loops = 1 }, behaviour);
        await using var client = await test.GreetAsync();
        await client.PingAsync();
        await client.DownloadAsync(20, 500);
        await client.EchoAsync(64);
        Assert.Single(test.Network.MiddleProxy(2).Connections);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_clock_that_differs_is_a_warning_only(EngineKind engine)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine, behaviour: new MiddleBehaviour { ClockAhead = TimeSpan.FromHours(2) });
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        Assert.Contains(test.Logs.Lines, line => line.EventName == "ClockDiffers");
    }

    private static ProxyUnderTest Start(EngineKind engine) => ProxyUnderTest.StartMiddle(engine, settings => settings with { Loops = 1 });

    private static MiddleConnection Link(ProxyUnderTest test) => Assert.Single(test.Network.MiddleProxy(2).Connections);
}
