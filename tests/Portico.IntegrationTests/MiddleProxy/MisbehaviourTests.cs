using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>
/// Whatever a middle proxy does to a link: the link is given up,
/// clients with nothing in flight do not notice, and attempts are paced.
/// </summary>
public sealed class MisbehaviourTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    public static TheoryData<EngineKind, (MiddleStep Step, MiddleFault Fault)> EverySetUpFault => Engines.With<(MiddleStep, MiddleFault)>([
        .. new[] { MiddleStep.Accepted, MiddleStep.NonceCame, MiddleStep.NonceSent, MiddleStep.HandshakeCame }
            .SelectMany(step => Enum.GetValues<MiddleFault>().Select(fault => (step, fault)))]);

    public static TheoryData<EngineKind, MiddleBehaviour> EveryWrongHandshake => Engines.With(
        new MiddleBehaviour { KeySelector = 1 },
        new MiddleBehaviour { Schema = 3 },
        new MiddleBehaviour { PeerPid = new byte[12] },
        new MiddleBehaviour { HandshakeFlags = 0x800 },
        new MiddleBehaviour { RefusesWith = -3 });

    public static TheoryData<EngineKind, MiddleFault> EveryFault => Engines.With(Enum.GetValues<MiddleFault>());

    [Theory]
    [MemberData(nameof(EverySetUpFault))]
    public Task A_set_up_that_fails_is_tried_again_after_a_growing_pause(EngineKind engine, (MiddleStep Step, MiddleFault Fault) row) =>
        ExpectPacedAttemptsAsync(engine, new MiddleBehaviour { FailsAt = row.Step, Fault = row.Fault }, failures: 2);

    [Theory]
    [MemberData(nameof(EveryWrongHandshake))]
    public Task A_wrong_handshake_is_tried_again_after_a_growing_pause(EngineKind engine, MiddleBehaviour behaviour) =>
        ExpectPacedAttemptsAsync(engine, behaviour, failures: 3);

    [Theory]
    [MemberData(nameof(EveryFault))]
    public async Task Clients_at_rest_survive_a_link_that_goes_wrong(EngineKind engine, MiddleFault fault)
    {
        await using var test = await MiddleStage.StartAsync(engine, links: 2, MiddleStage.Clock());
        var clients = await test.GreetManyAsync(6);
        test.Advance(MiddleStage.Rest);
        await test.SettleAsync();
        var (bad, good) = (test.Fake().OpenConnections[0], test.Fake().OpenConnections[1]);
        Assert.Equal(3, bad.OpenClientCount);
        await bad.FailAsync(fault);
        await GiveUpAsync(test, fault, good, moved: 3);
        await bad.Ended;
        foreach (var client in clients)
            await client.EchoAsync(64);
        await test.UntilLinksAsync(2);
        Assert.Equal(3, test.Migrated("ok"));
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total"));
        await clients.DisposeAllAsync();
    }

    [Theory]
    [MemberData(nameof(EveryFault))]
    public async Task A_fault_instead_of_an_answer_costs_at_most_who_asked(EngineKind engine, MiddleFault fault)
    {
        var time = MiddleStage.Clock();
        await using var network = FakeTelegramNetwork.Start([2], time: time);
        network.MiddleProxy(2).ForNext(new MiddleBehaviour { FailsAt = MiddleStep.RequestCame, Fault = fault });
        await using var test = ProxyUnderTest.StartMiddle(
            engine, network, settings => settings with { Loops = 1, Middle = settings.Middle with { InitialConnections = 2 } }, time);
        await test.UntilLinksAsync(2);
        var (bad, good) = (test.Fake().Connections[0], test.Fake().Connections[1]);
        var clients = new List<FakeClient>();
        for (var i = 0; i < 4; i++)
        {
            clients.Add(await test.GreetAsync());
            await clients[i].SendHeaderAsync();
            await test.Metrics.UntilAsync("portico_dc_clients", i + 1);
        }
        test.Advance(MiddleStage.Rest);

        // Two minutes after a packet nobody expects an answer any more, unless half of it has come.
        var isForgotten = IsSilent(fault) && fault != MiddleFault.HalfFrame;
        FakeClient? asker = null;
        foreach (var client in clients)
        {
            var before = test.Fake().Requests.Count;
            var body = RandomNumberGenerator.GetBytes(64);
            await client.SendAsync(TestFrame.Create(TestCommand.Echo, body));
            await test.Network.UntilAsync(it => it.MiddleProxy(2).Requests.Count == before + 1);
            if (asker is null && bad.Requests.Count == 1)
            {
                asker = client;
                await GiveUpAsync(test, fault, good, moved: isForgotten ? 2 : 1);
                if (!isForgotten)
                    await client.ExpectEndAsync();
            }
            else
            {
                await client.ExpectEchoAsync(body);
            }
        }
        Assert.NotNull(asker);
        if (isForgotten)
            await asker.EchoAsync(64);
        else
            await test.UntilClosedAsync("mid_send", "telegram");
        Assert.Equal(isForgotten ? 0 : 1, test.Migrated("mid_send"));
        await bad.Ended;
        await clients.DisposeAllAsync();
    }

    /// <summary>
    /// Some failures, then a good link: each failure is counted,
    /// and none is followed by an attempt before its pause is over.
    /// </summary>
    private static async Task ExpectPacedAttemptsAsync(EngineKind engine, MiddleBehaviour behaviour, int failures)
    {
        var time = MiddleStage.Clock();
        await using var network = FakeTelegramNetwork.Start([2], time: time);
        var fake = network.MiddleProxy(2);
        for (var i = 0; i < failures; i++)
            fake.ForNext(behaviour);
        await using var test = ProxyUnderTest.StartMiddle(engine, network, settings => settings with { Loops = 1 }, time);
        for (var i = 1; i <= failures; i++)
        {
            await network.UntilAsync(it => it.MiddleProxy(2).Connections.Count == i);
            if (behaviour is { FailsAt: not null, Fault: MiddleFault.Silence or MiddleFault.HalfFrame })
                await TimeOutAsync(test, i, behaviour);
            await test.Metrics.UntilAsync("portico_dc_connect_total", i);
            // 300 ms, twice as much each time; of that a random half to all
            test.Advance(TimeSpan.FromMilliseconds((150 << (i - 1)) - 20));
            await test.SettleAsync();
            Assert.Equal(i, fake.Connections.Count);
            await test.AdvanceUntilAsync(Moment, () => fake.Connections.Count > i);
        }
        await test.UntilLinksAsync(1);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        Assert.Equal(failures + 1, fake.Connections.Count);
        Assert.Equal(1, test.Metrics.Value("portico_dc_connect_total", ("result", "ok")));
    }

    /// <summary>A set-up has four seconds. The fake may have noticed it a little late, so half of them pass without fail.</summary>
    private static async Task TimeOutAsync(ProxyUnderTest test, int failures, MiddleBehaviour behaviour)
    {
        // Encrypted bytes before our handshake come from no honest server: whether they are
        // refused at once depends on whether the nonce before them comes in the same read.
        if (behaviour is not { FailsAt: MiddleStep.NonceSent, Fault: MiddleFault.HalfFrame })
        {
            test.Advance(TimeSpan.FromSeconds(2));
            await test.SettleAsync();
            Assert.Equal(failures - 1, test.Metrics.Value("portico_dc_connect_total"));
        }
        await test.AdvanceUntilAsync(TimeSpan.FromMilliseconds(100), () => test.Metrics.Value("portico_dc_connect_total") == failures);
    }

    /// <summary>A link that is silent is asked after a minute and given up after two; any other fault shows at once.</summary>
    private static async Task GiveUpAsync(ProxyUnderTest test, MiddleFault fault, MiddleConnection good, int moved)
    {
        if (IsSilent(fault))
        {
            await test.SettleAsync();
            Assert.Equal(0, test.Migrated("ok"));
            for (var steps = 0; test.Migrated("ok") < moved && steps < 30; steps++)
            {
                test.Advance(TimeSpan.FromSeconds(5));
                await test.SettleAsync();
                await test.AcknowledgedAsync();
                await good.PingAsync();
            }
        }
        await test.UntilMigratedAsync("ok", moved);
    }

    // What the proxy passes over is followed by silence as well.
    private static bool IsSilent(MiddleFault fault) =>
        fault is MiddleFault.Silence or MiddleFault.HalfFrame or MiddleFault.UnknownConstructor or MiddleFault.EmptyPayload;
}
