using Portico.Core.Net;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Clients;

public sealed class SessionEndTests
{
    private const int FrameSize = 65536;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_that_finished_sending_still_gets_everything_it_asked_for(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.AskForAsync(128, FrameSize);
        client.Wire.FinishSending();
        await client.ExpectSourceAsync(128, FrameSize);
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        Assert.NotEqual(PeerEnd.Timeout, await Assert.Single(test.Telegram.Connections).Ended);
        await test.UntilClosedAsync("client_closed", "client");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task When_the_data_centre_closes_the_client_sees_FIN_after_every_byte(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.AskForAsync(128, FrameSize);
        await client.CommandAsync(TestCommand.Finish);
        await client.ExpectSourceAsync(128, FrameSize);
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        client.Wire.FinishSending();
        await test.UntilClosedAsync("dc_closed", "telegram");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task When_the_data_centre_resets_the_session_ends(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(100);
        await client.CommandAsync(TestCommand.Reset);
        var seen = await client.ReadToEndAsync();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), seen);
        client.Wire.FinishSending();
        await test.UntilClosedAsync("dc_reset", "telegram");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task When_the_client_resets_the_data_centre_is_left(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(100);
        client.Wire.Reset();
        Assert.NotEqual(PeerEnd.None, await Assert.Single(test.Telegram.Connections).Ended);
        await test.UntilClosedAsync("client_reset", "client");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task When_the_data_centre_refuses_the_client_is_closed_without_a_byte(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, behaviour: new DcBehaviour { Refuses = true });
        await using var client = await test.GreetAsync(new ClientProfile { Dc = 4 });
        await client.SendAsync(TestFrame.Create(TestCommand.Echo, new byte[100]));
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        await test.Metrics.UntilAsync("portico_dc_connect_total", 1, ("dc", "4"), ("result", "refused"));
        client.Wire.FinishSending();
        await test.UntilClosedAsync("dc_connect_failed", "telegram");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_data_centre_that_closes_at_once_ends_the_session_with_FIN(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, behaviour: new DcBehaviour { FinishesAfter = 64 });
        await using var client = await test.GreetAsync();
        await client.SendAsync(TestFrame.Create(TestCommand.Echo, new byte[100]));
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        client.Wire.FinishSending();
        await test.UntilClosedAsync("dc_closed", "telegram");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_session_without_a_byte_ends_at_the_idle_limit(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(
            engine, settings => settings with { Timeouts = settings.Timeouts with { Idle = TimeSpan.FromSeconds(1) } });
        await using var client = await test.GreetAsync();
        await client.EchoAsync(100);
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        await test.UntilClosedAsync("idle_timeout", "client");
        await test.Metrics.UntilAsync("portico_timeouts_total", 1, ("phase", "idle"));
        Assert.NotEqual(PeerEnd.None, await Assert.Single(test.Telegram.Connections).Ended);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_that_never_sends_its_header_ends_at_the_header_deadline(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(
            engine, settings => settings with { Timeouts = settings.Timeouts with { Header = TimeSpan.FromSeconds(1) } });
        await using var client = await test.GreetAsync(new ClientProfile { SendsChangeCipherSpecAlone = true });
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        await test.UntilClosedAsync("header_timeout", "client");
        Assert.Empty(test.Telegram.Connections);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_that_takes_no_byte_ends_at_the_write_limit(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(
            engine, settings => settings with { Timeouts = settings.Timeouts with { ClientWrite = TimeSpan.FromSeconds(1) } });
        await using var client = await test.GreetAsync(receiveBuffer: 4096);
        await client.AskForAsync(4096, FrameSize);
        await test.UntilClosedAsync("client_write_timeout", "client");
        await test.Metrics.UntilAsync("portico_timeouts_total", 1, ("phase", "write"));
        Assert.NotEqual(PeerEnd.None, await Assert.Single(test.Telegram.Connections).Ended);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_over_the_limit_is_a_stranger_until_another_leaves(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(
            engine, settings => settings with { Listeners = [settings.Listeners[0] with { MaxConnections = 1 }] });
        await using (var first = await test.GreetAsync())
        {
            await first.EchoAsync(10);
            await using var second = await test.ConnectAsync();
            await second.SendHelloAsync();
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await second.Wire.ReadToEndAsync());
        }
        await test.UntilClosedAsync("connection_limit", "operator");
        await test.UntilClosedAsync("client_closed", "client");
        await using var third = await test.GreetAsync();
        await third.EchoAsync(10);
    }
}
