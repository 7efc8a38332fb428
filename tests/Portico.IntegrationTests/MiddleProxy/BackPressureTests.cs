using Portico.Core.Net;
using Portico.Core.Options;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>
/// Clients that take too little and middle proxies that take too little
/// (spec/03 section 8): the slow client pays, and memory is bounded.
/// </summary>
public sealed class BackPressureTests
{
    private const int FrameSize = 65536;

    // What the kernel holds for a slow reader; the system doubles it.
    private const int LittleRoom = 4096;

    private readonly ManualTime _time = MiddleStage.Clock();

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_that_stops_reading_is_closed_and_the_link_is_never_held_up(EngineKind engine)
    {
        await using var test = await StartAsync(engine, new HealthSettings(), BackPressureSettings.For(300));
        var others = await test.GreetManyAsync(8);
        await using var slow = await test.GreetAsync(ClientKind.FakeTls.Profile(), LittleRoom);
        // 130 frames: above the client's 3 MiB whatever the kernel takes of it (4 MiB at most), below the link's 9.2 MB
        await slow.AskForAsync(130, FrameSize);
        await test.Metrics.UntilAsync("portico_packet_size_bytes", 8 + 130, ("direction", "dc_to_client"));
        foreach (var other in others)
            await other.EchoAsync(1000);
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total"));

        // Its kernel may have taken the last bytes since the proxy looked: then a second counts from the next look.
        await test.AdvanceUntilAsync(TimeSpan.FromSeconds(1.5), () => test.Metrics.Value("portico_connections_closed_total") > 0);
        await test.UntilClosedAsync("client_queue_limit", "client");
        foreach (var other in others)
            await other.DownloadAsync(4, FrameSize);
        Assert.Equal(0, test.Metrics.Value("portico_dc_backpressure_total"));
        await test.Network.UntilAsync(network => network.MiddleProxy(2).Connections[0].CloseConns.Count == 1);
        Assert.Single(test.Fake().Connections);
        await others.DisposeAllAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_slow_client_that_goes_on_reading_in_time_gets_everything(EngineKind engine)
    {
        await using var test = await StartAsync(engine, new HealthSettings(), BackPressureSettings.For(300));
        await using var slow = await test.GreetAsync(ClientKind.FakeTls.Profile(), LittleRoom);
        await slow.AskForAsync(130, FrameSize);
        await test.Metrics.UntilAsync("portico_packet_size_bytes", 130, ("direction", "dc_to_client"));
        test.Advance(TimeSpan.FromSeconds(0.5));
        await slow.ExpectSourceAsync(130, FrameSize);
        test.Advance(TimeSpan.FromSeconds(5));
        await slow.EchoAsync(64);
        Assert.Equal(0, test.Metrics.Value("portico_dc_backpressure_total"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Above_the_limit_of_bytes_the_link_is_not_read_until_clients_have_caught_up(EngineKind engine)
    {
        await using var test = await StartAsync(
            engine, Patient, new BackPressureSettings { BytesTotal = 6 * 1024 * 1024, PacketsTotal = 1000 });
        await using var client = await test.GreetAsync(ClientKind.FakeTls.Profile(), LittleRoom);
        await client.AskForAsync(61, 400 * 1024);
        await test.Metrics.UntilAsync("portico_dc_backpressure_total", 1, ("state", "bytes_total"), ("dc", "2"));
        await test.SettleAsync();
        Assert.Equal(0, test.Metrics.Value("portico_dc_backpressure_total", ("state", "off")));
        var (came, went) = (test.Metrics.Value("portico_dc_received_bytes_total"), test.Metrics.Value("portico_client_sent_bytes_total"));
        // the limit, the packet that broke it, and what was read behind that into a buffer for a whole packet
        Assert.InRange(came - went, 1, 8 * 1024 * 1024);

        await client.ExpectSourceAsync(61, 400 * 1024);
        await client.EchoAsync(64);
        var pauses = test.Metrics.Value("portico_dc_backpressure_total", ("state", "bytes_total"));
        await test.Metrics.UntilAsync("portico_dc_backpressure_total", pauses, ("state", "off"));
        Assert.Equal(pauses, test.Metrics.Value("portico_dc_backpressure_seconds", ("dc", "2")));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Above_the_limit_of_packets_the_link_is_not_read_until_the_debtor_is_gone(EngineKind engine)
    {
        await using var test = await StartAsync(
            engine, Patient, new BackPressureSettings { BytesTotal = 50 * 1024 * 1024, PacketsTotal = 300 });
        await using var other = await test.GreetAsync();
        await using (var client = await test.GreetAsync(ClientKind.FakeTls.Profile(), LittleRoom))
        {
            await client.AskForAsync(3000, 16_900);
            await test.Metrics.UntilAsync("portico_dc_backpressure_total", 1, ("state", "count_total"), ("dc", "2"));
            client.Wire.Reset();
        }
        await test.Metrics.UntilAsync("portico_dc_backpressure_total", 1, ("state", "off"));
        Assert.Equal(1, test.Metrics.Value("portico_dc_backpressure_seconds"));
        await other.EchoAsync(64);
        await test.UntilClosedAsync("client_reset", "client");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Slow_clients_that_hold_up_the_link_together_lose_the_largest_debtor_after_a_second(EngineKind engine)
    {
        await using var test = await StartAsync(
            engine, Patient, new BackPressureSettings { BytesTotal = 6 * 1024 * 1024, PacketsTotal = 1000 });
        var slow = new List<FakeClient>();
        uint[] frames = [80, 160, 80, 80];
        for (var i = 0; i < frames.Length; i++)
        {
            slow.Add(await test.GreetAsync(ClientKind.Secure.Profile(), LittleRoom));
            await slow[i].EchoAsync(64);
        }
        for (var i = 0; i < frames.Length; i++)
            await slow[i].AskForAsync(frames[i], FrameSize);
        await test.Metrics.UntilAsync("portico_dc_backpressure_total", 1, ("state", "bytes_total"));
        test.Advance(TimeSpan.FromSeconds(0.9));
        await test.SettleAsync();
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total"));
        test.Advance(TimeSpan.FromSeconds(0.2));
        await test.UntilClosedAsync("client_queue_limit", "client");

        // who is left reads what was asked for, and the link goes on
        var ends = await Task.WhenAll(slow.Select((client, i) => TryReadAllAsync(client, frames[i])));
        Assert.Equal(3, ends.Count(isWhole => isWhole));
        Assert.Single(test.Fake().Connections);
        var pauses = test.Metrics.Value("portico_dc_backpressure_total", ("state", "bytes_total"));
        await test.Metrics.UntilAsync("portico_dc_backpressure_total", pauses, ("state", "off"));
        await slow.DisposeAllAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_middle_proxy_that_does_not_read_holds_up_its_clients_and_not_our_memory(EngineKind engine)
    {
        var reading = new Gate(isOpen: true);
        await using var test = ProxyUnderTest.StartMiddle(
            engine, settings => settings with { Loops = 1 }, new MiddleBehaviour { IsForgetful = true, Reading = reading }, _time);
        await test.UntilLinksAsync(1);
        var clients = await test.GreetManyAsync(4);
        reading.Close();
        var uploads = clients.Select(client => client.UploadAsync(256, FrameSize)).ToArray();
        // until nothing moves any more
        double before = -1;
        while (Taken(test) != before || before < 1024 * 1024)
        {
            before = Taken(test);
            await Task.WhenAny(Task.WhenAll(uploads), Task.Delay(50));
        }
        // 256 KiB of frames and the packet that went beyond; each client a read
        Assert.InRange(Taken(test) - test.Metrics.Value("portico_dc_sent_bytes_total"), 1, 1024 * 1024);
        Assert.DoesNotContain(uploads, upload => upload.IsCompleted);
        reading.Open();
        await Task.WhenAll(uploads);
        await clients.DisposeAllAsync();
    }

    // A client's own limit that nobody reaches.
    private static HealthSettings Patient => new() { ClientQueueBytes = int.MaxValue, ClientQueuePackets = int.MaxValue };

    private static double Taken(ProxyUnderTest test) => test.Metrics.Value("portico_client_received_bytes_total");

    private static async Task<bool> TryReadAllAsync(FakeClient client, uint frames)
    {
        try
        {
            await client.ExpectSourceAsync(frames, FrameSize);
            await client.EchoAsync(64);
            return true;
        }
        catch (PeerSurpriseException)
        {
            return false;
        }
    }

    private async Task<ProxyUnderTest> StartAsync(EngineKind engine, HealthSettings health, BackPressureSettings limits)
    {
        var test = ProxyUnderTest.StartMiddle(
            engine,
            settings => settings with { Loops = 1, Health = health, Middle = settings.Middle with { BackPressure = limits } },
            new MiddleBehaviour { IsForgetful = true },
            _time);
        await test.UntilLinksAsync(1);
        return test;
    }
}
