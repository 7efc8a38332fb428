using System.Net;
using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Sdk;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>What clients of a middle proxy get: their own packets, whole and in order.</summary>
public sealed class RelayTests
{
    private const int FrameSize = 65536;

    public static TheoryData<EngineKind, ClientKind> EveryKind => Engines.With(Enum.GetValues<ClientKind>());

    public static TheoryData<EngineKind, (ClientKind Kind, string Reason)> TooLarge => Engines.With(
        (ClientKind.Abridged, "abridged_max_size"), (ClientKind.Intermediate, "intermediate_max_size"),
        (ClientKind.FakeTls, "intermediate_max_size"));

    [Theory]
    [MemberData(nameof(EveryKind))]
    public async Task A_client_of_any_kind_is_served_and_counted(EngineKind engine, ClientKind kind)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine);
        await using (var client = await test.GreetAsync(kind.Profile()))
        {
            await client.PingAsync();
            await client.EchoAsync(64);
            await client.EchoAsync(4);
            await client.EchoAsync(70_000);
        }
        await test.UntilClosedAsync("client_closed", "client");
        await test.UntilEmptyAsync();
        await test.Network.UntilAsync(network => network.MiddleProxy(2).Connections.Sum(link => link.CloseConns.Count) == 1);

        Assert.Equal(kind.Profile().Transport, test.Network.MiddleProxy(2).Requests[0].Transport);
        Assert.Equal(1, test.Metrics.Value("portico_protocol_ok_total", ("protocol", kind.Label())));
        Assert.Equal(4, test.Metrics.Value("portico_packet_size_bytes", ("direction", "client_to_dc")));
        Assert.Equal(4, test.Metrics.Value("portico_packet_size_bytes", ("direction", "dc_to_client")));
        Assert.Equal(0, test.Metrics.Value("portico_dc_clients"));
        Assert.Empty(test.Telegram.Connections);
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public async Task Many_packets_come_back_in_order(EngineKind engine, ClientKind kind)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine);
        await using var client = await test.GreetAsync(kind.Profile());
        var bodies =
            Enumerable.Range(0, 1500).Select(_ => RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(1, 800))).ToArray();
        async Task ReceiveAllAsync()
        {
            foreach (var body in bodies)
                await client.ExpectEchoAsync(body);
        }
        var receiving = ReceiveAllAsync();
        foreach (var body in bodies)
            await client.SendAsync(TestFrame.Create(TestCommand.Echo, body));
        await receiving;
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public async Task Long_transfers_arrive_whole_in_both_directions_at_once(EngineKind engine, ClientKind kind)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine, behaviour: new MiddleBehaviour { IsForgetful = true });
        await using var down = await test.GreetAsync(kind.Profile());
        await using var up = await test.GreetAsync(kind.Profile());
        await Task.WhenAll(down.DownloadAsync(128, FrameSize), up.UploadAsync(128, FrameSize));
        Assert.InRange(down.LongestRecord, 0, 8192 + 17);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Hello_and_packets_may_come_in_any_pieces(EngineKind engine)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine);
        ClientProfile[] profiles =
        [
            new() { Piece = 7, HelloPiece = 400, IsSettled = true },
            new() { SendsHeaderAlone = true, RecordPayload = 5 },
            new() { Shape = ClientHelloShape.Classic517, HelloFragments = [100, 100] },
            ClientKind.Abridged.Profile() with { Piece = 3, IsSettled = true },
        ];
        foreach (var profile in profiles)
        {
            await using var client = await test.GreetAsync(profile);
            await client.EchoAsync(300);
            await client.EchoAsync(5);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Both_sides_may_be_reached_over_IPv6(EngineKind engine)
    {
        // By a clock that stands still no attempt takes so long that the other family is asked, too.
        var time = MiddleStage.Clock();
        await using var network = FakeTelegramNetwork.Start([2], time: time);
        var overV6 = network.Add(2, address: IPAddress.IPv6Loopback);
        await using var test = ProxyUnderTest.StartMiddle(engine, network, settings => settings with
        {
            Listeners = [settings.Listeners[0] with { Address = new IPEndPoint(IPAddress.IPv6Loopback, 0) }],
            Direct = settings.Direct with { PreferIPv6 = true },
        }, time);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        var request = Assert.Single(overV6.Requests);
        Assert.Equal(client.Wire.Local, request.Client);
        Assert.Equal(IPAddress.IPv6Loopback, request.Proxy.Address);
        Assert.Empty(network.MiddleProxy(2).Connections);
    }

    [Theory]
    [MemberData(nameof(TooLarge))]
    public async Task A_packet_of_more_than_a_megabyte_closes_its_client_only(EngineKind engine, (ClientKind Kind, string Reason) row)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine, settings => settings with { Loops = 1 });
        await using var neighbour = await test.GreetAsync();
        await using var client = await test.GreetAsync(row.Kind.Profile());
        await client.EchoAsync(64);
        await neighbour.EchoAsync(64);
        // the proxy decides by the length in front; how much of the rest it lets in is not our concern
        var sending = Record.ExceptionAsync(() => client.SendAsync(new byte[(1 << 20) + 1024]));
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        client.Wire.Reset();
        await sending;

        await test.UntilClosedAsync(row.Reason, "client");
        Assert.Equal(1, test.Metrics.Value("portico_protocol_error_total", ("reason", row.Reason)));
        await neighbour.EchoAsync(64);
        await test.Network.UntilAsync(network => network.MiddleProxy(2).Connections[0].CloseConns.Count == 1);
        Assert.Equal(3, test.Network.MiddleProxy(2).Requests.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Padding_towards_padded_clients_has_zero_to_three_bytes(EngineKind engine)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine);
        foreach (var kind in new[] { ClientKind.Secure, ClientKind.FakeTls })
        {
            await using var client = await test.GreetAsync(kind.Profile() with { MaxPadding = 0 });
            var frame = TestFrame.Create(TestCommand.Echo, new byte[8]);
            var seen = new HashSet<int>();
            for (var i = 0; i < 100; i++)
            {
                await client.SendAsync(frame);
                seen.Add((await client.ReceiveAsync()).Length - frame.Length);
            }
            // of a hundred, one length in four misses once in 10^12 runs
            Assert.Equal([0, 1, 2, 3], seen.Order());
        }
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public async Task Quick_acknowledgements_travel_both_ways(EngineKind engine, ClientKind kind)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine);
        await using var client = await test.GreetAsync(kind.Profile());
        await client.EchoAsync(64);
        for (var i = 1; i <= 5; i++)
        {
            var body = RandomNumberGenerator.GetBytes(40 * i);
            await client.SendAsync(TestFrame.Create(TestCommand.Echo, body), quickAck: true);
            var confirm = await client.ReceiveQuickAckAsync();
            await client.ExpectEchoAsync(body);
            var request = test.Network.MiddleProxy(2).Requests[^1];
            Assert.True(request.WantsQuickAck);
            Assert.Equal(MiddleRequest.ConfirmOf(request.Packet), confirm);
        }
        await client.EchoAsync(64);
        Assert.False(test.Network.MiddleProxy(2).Requests[^1].WantsQuickAck);
    }
}
