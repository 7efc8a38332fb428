using System.Collections.Immutable;
using Portico.Core.Net;
using Portico.IntegrationTests.Cover.Probes;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Cover;

/// <summary>
/// Hellos of somebody who has recorded one or knows a secret:
/// they are served, or they see the cover, and nothing in between.
/// </summary>
public sealed class SignedHelloTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    // Longer than the silence after which the proxy lets the cover speak.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1.2);

    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    private static readonly ProxySecret Other = ProxySecret.Create("some other bytes"u8);

    /// <summary>What a prober knows how to sign and is shown the cover for.</summary>
    private static readonly ImmutableArray<(string Id, Func<ProxySecret, byte[]> Create)> Strangers =
    [
        ("R72 another secret", _ => Signed(Other)),
        ("R73 signed an hour ago", secret => Signed(secret, -3600)),
        ("R74 signed in an hour", secret => Signed(secret, +3600)),
        ("R75 signed ten days ago", secret => Signed(secret, -864_000)),
        ("R75 clock never set", secret => HelloBytes.Create(secret, CoverServer.Name, 4711, ClientHelloShape.Classic517)),
        ("R76 a bit of the last extension flipped", secret => Flip(Signed(secret))),
        ("R79 shorter than 512 bytes", secret => Sign(secret, new ProbeHello { PaddedLength = 0 })),
        ("R80 only a P-256 share that is no point", secret => Sign(
            secret, new ProbeHello().With(Extension.KeyShare, Extension.Shares((0x17, [4, .. ProbeRandom.Bytes(64)]))))),
        ("R80 no key_share", secret => Sign(secret, new ProbeHello().Without(Extension.KeyShare))),
        ("R84 no suite of TLS 1.3", secret => Sign(secret, new ProbeHello { Suites = [0xc0, 0x2b, 0xc0, 0x2c] })),
        ("R86 in two records, signed with the header of the second", SignedOverBothRecords),
        ("no name", secret => Sign(secret, new ProbeHello().Without(Extension.ServerName))),
        ("two names", secret => Sign(secret, new ProbeHello().With(Extension.ServerName, 0, 12, 0, 0, 3, 97, 46, 98, 0, 0, 3, 97, 46, 99))),
    ];

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_signed_hello_that_is_not_served_sees_the_cover(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var proxy = Start(engine, cover);
        var prober = await Battery.PrepareAsync(cover.Endpoint, Battery.Quiet);
        var differences = await Task.WhenAll(Strangers.Select(async stranger =>
        {
            var probe = new Probe(stranger.Id, "", "", [stranger.Create(proxy.Secret)]);
            var (direct, through) = (prober.AskAsync(cover.Endpoint, probe), prober.AskAsync(proxy.Endpoint, probe));
            return (await through).LooksLike(await direct)
                ? null
                : $"{stranger.Id}: the cover says [{await direct}], here [{await through}]";
        }));
        Assert.True(
            differences.All(difference => difference is null),
            string.Join('\n', differences.Where(difference => difference is not null)));
        Assert.Empty(proxy.Telegram.Connections);
    }

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Clients_of_every_habit_are_served_with_a_cover_there(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var proxy = Start(engine, cover);
        foreach (var profile in (ClientProfile[])
        [
            new() { Shape = ClientHelloShape.Classic517 },  // R70
            new(),  // R71: post-quantum, 1.8 KB
            new() { Domain = "elsewhere.example" },  // R78: any name may be signed, see contract of listeners[].domain
            new() { HelloFragments = [300] },  // R86
            new() { HelloPiece = 1 },
            new() { SendsChangeCipherSpecAlone = true },
            new() { Mode = ClientMode.Secure },
            new() { Mode = ClientMode.Plain, Transport = Portico.Protocol.Transport.Abridged },
        ])
        {
            await using var client = await proxy.GreetAsync(profile);
            await client.EchoAsync(1000);
        }
    }

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_byte_behind_the_hello_in_the_same_segment_belongs_to_the_next_record(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var proxy = Start(engine, cover);
        await using var client = await proxy.ConnectAsync(new ClientProfile { SendsChangeCipherSpec = false });
        await client.Wire.SendAsync((byte[])[.. client.Hello, 0x14]);  // R77
        await client.ExpectFlightAsync();
        await client.Wire.SendAsync(new byte[] { 3, 3, 0, 1, 1 });
        await client.EchoAsync(1000);
    }

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_hello_that_comes_slowly_is_served_although_the_cover_has_heard_its_beginning(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var proxy = Start(engine, cover);
        await using var client = await proxy.ConnectAsync();
        await client.Wire.SendAsync(client.Hello.AsMemory(0, 900));
        await Task.Delay(Pause);  // R85 and longer: the pause is what is tested
        await client.Wire.SendAsync(client.Hello.AsMemory(900));
        await client.ExpectFlightAsync();
        await client.EchoAsync(1000);
    }

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task The_flight_answers_what_was_offered(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var proxy = Start(engine, cover);
        var other = await FlightAsync(proxy, new ProbeHello { Suites = [0x13, 2] });  // R84
        Assert.Equal(("HS(2):122", "1302"), (other.Records[0].ToString(), other.Records[0].Suite));
        var none = await FlightAsync(proxy, new ProbeHello { SessionIdLength = 0 });  // R83
        Assert.Equal("HS(2):90", none.Records[0].ToString());
        Assert.All((Observation[])[other, none], flight => Assert.Equal(("CCS", "APP"), (flight.Records[1].Kind, flight.Records[2].Kind)));
    }

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Nonsense_behind_the_flight_is_met_with_one_alert_and_never_with_the_cover(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var proxy = Start(engine, cover);
        foreach (var nonsense in (byte[][])
        [
            [0x14, 3, 3, 0, 1, 1, .. ProbeHello.Record(0x17, 0x0303, ProbeRandom.Bytes(64))],  // R81
            ProbeHello.Record(0x99, 0x0303, ProbeRandom.Bytes(64)),  // R82
            [.. "GET / HTTP/1.1\r\n\r\n"u8],
            Signed(proxy.Secret),
        ])
        {
            await using var client = await proxy.GreetAsync();
            await client.Wire.SendAsync(nonsense);
            var received = await client.Wire.ReadToEndAsync(Moment);
            Assert.True(received.IsEncryptedAlertAndFin, received.ToString());
        }
        Assert.Empty(proxy.Telegram.Connections);
    }

    private static ProxyUnderTest Start(EngineKind engine, CoverServer cover) =>
        ProxyUnderTest.Start(engine, settings => settings with { Cover = cover.Settings });

    private static async Task<Observation> FlightAsync(ProxyUnderTest proxy, ProbeHello hello)
    {
        var flight = new Probe("flight", "", "", [Sign(proxy.Secret, hello)]);
        var seen = await new Prober(FlightRecords: 3, Moment).AskAsync(proxy.Endpoint, flight);
        Assert.True(seen.Records.Length == 3 && seen.End == PeerEnd.Timeout, $"{seen}");
        return seen;
    }

    private static uint Now => (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private static byte[] Signed(ProxySecret secret, int seconds = 0) =>
        HelloBytes.Create(secret, CoverServer.Name, (uint)(Now + seconds), ClientHelloShape.Classic517);

    private static byte[] Sign(ProxySecret secret, ProbeHello hello)
    {
        var record = hello.ToRecord();
        using var key = new HmacKey(secret);
        HelloDigest.Sign(record, key, Now);
        return record;
    }

    private static byte[] SignedOverBothRecords(ProxySecret secret)
    {
        var records = new ProbeHello().ToRecords(200);
        using var key = new HmacKey(secret);
        HelloDigest.Sign(records, key, Now);
        return records;
    }

    private static byte[] Flip(byte[] hello)
    {
        hello[^1] ^= 1;
        return hello;
    }
}
