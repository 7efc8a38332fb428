using System.Collections.Immutable;
using System.Net;
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

    /// <summary>What a prober who can sign says once the flight is there.</summary>
    private static readonly ImmutableArray<(string Id, Func<ProxySecret, byte[]> Create)> Nonsense =
    [
        ("R81 a record of random bytes", _ => [0x14, 3, 3, 0, 1, 1, .. ProbeHello.Record(0x17, 0x0303, ProbeRandom.Bytes(64))]),
        ("R82 a record of no type", _ => ProbeHello.Record(0x99, 0x0303, ProbeRandom.Bytes(64))),
        ("HTTP without TLS", _ => [.. "GET / HTTP/1.1\r\n\r\n"u8]),
        ("another hello", secret => Signed(secret)),
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

    [ToolTheory(NginxCover.Program, HaproxyCover.Program, OpensslCover.Program)]
    [InlineData(NginxCover.Program)]
    [InlineData(HaproxyCover.Program)]
    [InlineData(OpensslCover.Program)]
    public async Task Nonsense_behind_the_flight_is_answered_as_the_cover_does_and_never_by_it(string program)
    {
        await using var cover = await StartAsync(program);
        var asCover = await Battery.PrepareAsync(cover.Endpoint, Battery.Quiet);
        var asClient = asCover with { FlightRecords = 3 };
        foreach (var engine in Engines.Kinds)
        {
            await using var proxy = Start(engine, cover);
            foreach (var (id, create) in Nonsense)
            {
                // One after the other: OpenSSL's server serves nobody else meanwhile. No hello comes twice, or it is a replay.
                var direct = await BehindFlightAsync(asCover, cover.Endpoint);
                var through = await BehindFlightAsync(asClient, proxy.Endpoint);
                Assert.True(through.LooksLike(direct), $"{id}, {engine}: {program} says [{direct}], here [{through}]");
                Assert.Equal("APP:19, FIN", through.ToString()); // an encrypted alert

                async Task<Observation> BehindFlightAsync(Prober prober, IPEndPoint endpoint)
                {
                    var probe = new Probe(id, "", "", [Signed(proxy.Secret), ProbeStep.AwaitFlight, create(proxy.Secret)]);
                    var seen = await prober.AskAsync(endpoint, probe);
                    Assert.True(seen.Records.Length >= prober.FlightRecords, $"{id}: no flight of {endpoint}, but [{seen}]");
                    return seen with { Records = seen.Records[prober.FlightRecords..] };
                }
            }
            Assert.Empty(proxy.Telegram.Connections);
        }
    }

    private static async Task<CoverServer> StartAsync(string program) => program switch
    {
        NginxCover.Program => await NginxCover.StartAsync(Long),
        HaproxyCover.Program => await HaproxyCover.StartAsync(Long),
        _ => await OpensslCover.StartAsync(),
    };

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
