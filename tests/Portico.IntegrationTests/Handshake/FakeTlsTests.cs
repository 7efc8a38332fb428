using System.Collections.Immutable;
using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Handshake;

public sealed class FakeTlsTests
{
    private static readonly ImmutableDictionary<string, ClientProfile> Habits = new Dictionary<string, ClientProfile>
    {
        ["as TDLib"] = new(),
        ["517-byte hello"] = new() { Shape = ClientHelloShape.Classic517 },
        ["single bytes"] = new() { Piece = 1 },
        ["settled pieces of 37"] = new() { Piece = 37, IsSettled = true },
        ["pieces of 1460"] = new() { Piece = 1460, IsSettled = true },
        ["ChangeCipherSpec alone"] = new() { SendsChangeCipherSpecAlone = true, IsSettled = true },
        ["header that begins like a hello"] = new() { HeaderStart = [0x16, 3, 1, 2, 0, 1, 0, 1] },
        ["header that begins like a request"] = new() { HeaderStart = [.. "GET / HTTP/1.1"u8] },
        ["no ChangeCipherSpec"] = new() { SendsChangeCipherSpec = false },
        ["header alone, records of 1 byte"] = new() { SendsHeaderAlone = true, RecordPayload = 1, IsSettled = true },
        ["header in 64 records"] = new() { RecordPayload = 1 },
        ["header in records of 30 bytes, one per write"] =
            new() { HelloPiece = int.MaxValue, RecordPayload = 30, Piece = 35, SendsChangeCipherSpecAlone = true, IsSettled = true },
        ["record headers apart from payload"] =
            new() { HelloPiece = int.MaxValue, RecordPayload = 5, Piece = 5, SendsChangeCipherSpecAlone = true, IsSettled = true },
        ["records of 65535 bytes"] = new() { RecordPayload = 65535 },
        ["hello in records of 1, 1, 1 and the rest"] = new() { HelloFragments = [1, 1, 1] },
        ["hello cut inside its random"] = new() { HelloFragments = [20], Piece = 25, IsSettled = true },
        ["hello in eight records"] = new() { HelloFragments = [100, 200, 300, 1, 2, 3, 100] },
        ["hello in eight records, single bytes"] = new() { HelloFragments = [4, 2, 32, 100, 1, 1, 500], Piece = 1 },
    }.ToImmutableDictionary();

    public static TheoryData<EngineKind, string> EveryHabit => Engines.With(Habits.Keys.Order().ToArray());

    // below, about and above what is kept before the judgement
    public static TheoryData<EngineKind, int> EverySize => Engines.With(100, 14_000, 200_000);

    [Theory]
    [MemberData(nameof(EveryHabit))]
    public async Task A_client_is_relayed_however_its_bytes_are_cut(EngineKind engine, string habit)
    {
        await using var test = ProxyUnderTest.Start(engine);
        var profile = Habits[habit];
        await using var client = await test.GreetAsync(profile with { Dc = -3 });
        await client.EchoAsync(20);
        await client.EchoAsync(profile.IsSettled ? 101 : 3001);  // waiting for each read of the proxy takes its time
        await client.PingAsync();

        var dc = Assert.Single(test.Telegram.Connections);
        Assert.Equal((-3, Transport.Padded), (dc.DcId, dc.Transport));
        await test.Metrics.UntilAsync("portico_protocol_ok_total", 1, ("listener", ProxyUnderTest.Listener), ("protocol", "fake_tls"));
        client.Wire.FinishSending();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        Assert.Equal(PeerEnd.Reset, await dc.Ended);
        await test.UntilClosedAsync("client_closed", "client");
    }

    [Theory]
    [MemberData(nameof(EverySize))]
    public async Task Hello_header_and_packet_in_one_write_are_answered_by_the_flight_and_then_the_echo(EngineKind engine, int size)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.ConnectAsync();
        var body = RandomNumberGenerator.GetBytes(size);
        await client.SendEverythingAtOnceAsync(TestFrame.Create(TestCommand.Echo, body));
        await client.ExpectFlightAsync();
        await client.ExpectEchoAsync(body);
        await client.EchoAsync(1000);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task After_the_flight_the_proxy_waits_for_the_client_to_speak(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        Assert.Equal((0, PeerEnd.Timeout), await client.Wire.ReadSomeAsync(new byte[1], TimeSpan.FromMilliseconds(200)));
        Assert.Empty(test.Telegram.Connections);
        await client.EchoAsync(64);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task The_flight_looks_like_a_TLS_server_that_read_the_hello(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        var sizes = new HashSet<int>();
        for (var i = 0; i < 8; i++)
        {
            await using var client = await test.GreetAsync();
            var flight = client.Flight;
            Assert.Equal(client.Hello[43..76], flight[43..76]);              // session id, echoed
            Assert.Equal([0x13, 0x01], flight[76..78]);                      // first suite of TLS 1.3 that the client offers
            Assert.Equal([0x00, 0x33, 0x00, 0x24, 0x00, 0x1d, 0x00, 0x20], flight[81..89]);
            Assert.InRange(flight.Length - 138, 1024, 4096);                 // spec/02 section 6: until a cover's size is learnt
            sizes.Add(flight.Length);
        }
        Assert.True(sizes.Count > 1, "eight flights of one size are a fingerprint");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task An_alert_record_of_the_client_is_answered_with_FIN_and_no_byte(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(10);
        await client.Wire.SendAsync(new byte[] { 0x15, 3, 3, 0, 2, 1, 0 });
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
        await test.UntilClosedAsync("client_closed", "client");
    }
}
