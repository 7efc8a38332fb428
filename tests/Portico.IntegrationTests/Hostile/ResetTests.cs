using System.Diagnostics;
using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>RST from either side at every phase.</summary>
[Collection(nameof(Siege))]
public sealed class ResetTests
{
    private const int FrameSize = 65536;

    // Data centre 3 neither answers nor refuses, 4 refuses; all others are the stand-in.
    private const short Unanswered = 3;
    private const short Refusing = 4;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_may_reset_before_it_is_known(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine);
        var proxy = besieged.Proxy;
        var accepted = proxy.Metrics.Value("portico_connections_accepted_total");
        foreach (var length in new[] { 0, 1, 5, 63, 600 })
        {
            await using var client = await proxy.ConnectAsync();
            await proxy.Metrics.UntilAsync("portico_connections_accepted_total", ++accepted);
            await client.Wire.SendAsync(client.Hello.AsMemory(0, length), settled: true);
            client.Wire.Reset();
        }
        await proxy.UntilClosedAsync("client_reset", "client", 5);

        foreach (var bytes in new[] { HelloBytes.Malformed(), RandomNumberGenerator.GetBytes(64), "GET / HTTP/1.1\r\n"u8.ToArray() })
        {
            await using var wire = await Wire.ConnectAsync(proxy.Endpoint);
            await wire.SendAsync(bytes, settled: true);
            wire.Reset();
        }
        await proxy.UntilEmptyAsync();
        // a stranger's reset is no news
        Assert.Equal(5, proxy.Metrics.Value("portico_connections_closed_total", ("reason", "client_reset")));
        await besieged.AssertUnharmedAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_may_reset_between_its_hello_and_the_relay(EngineKind engine)
    {
        await using var unanswered = await UnansweredEndpoint.StartAsync();
        await using var refusing = FakeTelegram.Start(new DcBehaviour { Refuses = true });
        await using var besieged = await Besieged.StartAsync(engine, With(unanswered, refusing));
        var proxy = besieged.Proxy;
        var connections = proxy.Telegram.Connections.Count;
        await using (var hello = await proxy.ConnectAsync())
        {
            await hello.SendHelloAsync();
            hello.Wire.Reset();
        }
        await using (var settled = await proxy.ConnectAsync())
        {
            await settled.Wire.SendAsync(settled.Hello, settled: true);
            settled.Wire.Reset();
        }
        await using (var greeted = await proxy.GreetAsync())
            greeted.Wire.Reset();
        foreach (var length in new[] { 3, 30, 68 })
        {
            await using var client = await proxy.GreetAsync();
            byte[] record = [0x17, 3, 3, 0, 64, .. client.Encipher([])];
            await client.Wire.SendAsync(record.AsMemory(0, length), settled: true);
            client.Wire.Reset();
        }
        await proxy.UntilClosedAsync("client_reset", "client", 6);
        Assert.Equal(connections, proxy.Telegram.Connections.Count);

        var ok = proxy.Metrics.Value("portico_protocol_ok_total");
        foreach (var profile in new ClientProfile[] { new() { Dc = Unanswered }, new() { Dc = Unanswered, Mode = ClientMode.Secure } })
        {
            await using var connecting = await proxy.GreetAsync(profile);
            await connecting.SendHeaderAsync();
            await proxy.Metrics.UntilAsync("portico_protocol_ok_total", ++ok);
            connecting.Wire.Reset();
        }
        await proxy.UntilClosedAsync("client_reset", "client", 8);
        await besieged.AssertUnharmedAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_may_reset_while_relaying_with_output_waiting_for_either_side(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine);
        var proxy = besieged.Proxy;
        var connections = proxy.Telegram.Connections.Count;
        await using (var idle = await proxy.GreetAsync())
        {
            await idle.EchoAsync(100);
            idle.Wire.Reset();
        }
        await using (var deaf = await proxy.GreetAsync(receiveBuffer: 4096))
        {
            var before = proxy.Telegram.Connections.Count;
            await deaf.AskForAsync(1024, FrameSize);
            await UntilSomethingWaitsAsync(besieged, before);
            deaf.Wire.Reset();
        }
        await proxy.UntilClosedAsync("client_reset", "client", 2);
        foreach (var dc in proxy.Telegram.Connections.Skip(connections))
            Assert.NotEqual(PeerEnd.None, await dc.Ended);

        proxy.Telegram.Behaviour = new DcBehaviour { NeverReads = true };
        await using (var loud = await proxy.GreetAsync())
        {
            var before = proxy.Telegram.Connections.Count;
            var sending = SendUntilStuckAsync(loud);
            await UntilSomethingWaitsAsync(besieged, before);
            loud.Wire.Reset();
            await sending;
        }
        await proxy.UntilClosedAsync("client_reset", "client", 3);
        await besieged.AssertUnharmedAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_data_centre_may_refuse_or_reset_at_once_and_the_client_sees_FIN_without_a_byte(EngineKind engine)
    {
        await using var unanswered = await UnansweredEndpoint.StartAsync();
        await using var refusing = FakeTelegram.Start(new DcBehaviour { Refuses = true });
        await using var besieged = await Besieged.StartAsync(engine, With(unanswered, refusing));
        var proxy = besieged.Proxy;
        await AssertFinAsync(new ClientProfile { Dc = Refusing });
        await proxy.UntilClosedAsync("dc_connect_failed", "telegram");
        await AssertFinAsync(new ClientProfile { Dc = Unanswered });
        await proxy.UntilClosedAsync("dc_connect_timeout", "telegram");

        proxy.Telegram.Behaviour = new DcBehaviour { ResetsAtOnce = true };
        for (var i = 0; i < 10; i++)
            await AssertFinAsync(new ClientProfile());
        await proxy.UntilEmptyAsync();
        // whether the RST came while the connect was being looked at, or behind it, is chance
        Assert.Equal(11, proxy.Metrics.Value("portico_connections_closed_total", ("reason", "dc_reset"))
            + proxy.Metrics.Value("portico_connections_closed_total", ("reason", "dc_connect_failed")));
        await besieged.AssertUnharmedAsync();

        async Task AssertFinAsync(ClientProfile profile)
        {
            await using var client = await proxy.GreetAsync(profile);
            await client.SendHeaderAsync();
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_data_centre_may_reset_amid_a_transfer_and_the_client_sees_FIN_and_no_reset(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine);
        var proxy = besieged.Proxy;
        await using (var download = await proxy.GreetAsync())
        {
            await download.AskForAsync(32, FrameSize);
            await download.CommandAsync(TestCommand.Reset);
            Assert.Equal(PeerEnd.Fin, (await download.Wire.ReadToEndAsync()).End);
        }
        proxy.Telegram.Behaviour = new DcBehaviour { ResetsAfter = 100_000 };
        await using (var upload = await proxy.GreetAsync())
        {
            var frame = new byte[TestFrame.HeaderLength + FrameSize];
            for (uint sequence = 0; sequence < 8; sequence++)
            {
                TestFrame.WritePattern(frame, TestCommand.Sink, sequence, FrameSize);
                await upload.SendAsync(frame);
            }
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await upload.Wire.ReadToEndAsync());
        }
        proxy.Telegram.Behaviour = DcBehaviour.Good;
        await using (var deaf = await proxy.GreetAsync(receiveBuffer: 4096))
        {
            var before = proxy.Telegram.Connections.Count;
            await deaf.AskForAsync(1024, FrameSize);
            await UntilSomethingWaitsAsync(besieged, before);
            proxy.Telegram.Connections[^1].Reset();
            Assert.Equal(PeerEnd.Fin, (await deaf.Wire.ReadToEndAsync()).End);
        }
        await proxy.UntilClosedAsync("dc_reset", "telegram", 3);
        await besieged.AssertUnharmedAsync();
    }

    private static Func<ProxySettings, ProxySettings> With(UnansweredEndpoint unanswered, FakeTelegram refusing) =>
        settings => settings with
        {
            Direct = settings.Direct with
            {
                Endpoints = settings.Direct.Endpoints.SetItem(Unanswered, [unanswered.Endpoint]).SetItem(Refusing, [refusing.Endpoint]),
            },
            Timeouts = settings.Timeouts with { DcConnect = TimeSpan.FromSeconds(1) },
        };

    // A handshake has buffers too: only with the one session relaying, and known to its data centre, they are what waits for a slow side.
    private static async Task UntilSomethingWaitsAsync(Besieged besieged, int connectionsBefore)
    {
        await besieged.Proxy.Metrics.UntilAsync("portico_connections", 1, ("state", "relaying"));
        await besieged.Proxy.Metrics.UntilAsync("portico_connections", 0, ("state", "handshake"));
        var watch = Stopwatch.StartNew();
        while (besieged.Rented == 0 || besieged.Proxy.Telegram.Connections.Count == connectionsBefore)
        {
            Assert.True(watch.Elapsed < Wire.Patience, "nothing ever waited");
            await Task.Yield();
        }
    }

    private static async Task SendUntilStuckAsync(FakeClient client)
    {
        try
        {
            var frame = TestFrame.Create(TestCommand.Sink, new byte[FrameSize]);
            while (true)
                await client.SendAsync(frame);
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // our own reset
        }
    }
}
