using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Cover;

/// <summary>
/// TCP's urgent data, which ends a read before there is nothing left to read, and which a poll for errors tells like a failure.
/// A server that never asked for it does not see that byte.
/// </summary>
public sealed class UrgentDataTests
{
    private const int Times = 20;

    // Neither answers nor refuses.
    private const short Unanswered = 3;

    private static readonly ProxySecret Other = ProxySecret.Create("some other bytes"u8);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_hello_with_an_urgent_byte_in_it_reaches_the_cover_every_time(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        var hello = HelloBytes.Create(Other, "www.example.org", (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        for (var i = 0; i < Times; i++)
        {
            var places = new Random(i);
            await using var stranger = await Wire.ConnectAsync(test.Endpoint);
            await SendWithUrgentByteAsync(stranger, hello, places);
            await using var visit = await site.NextVisitAsync();
            Assert.Equal(hello, await visit.ReadExactlyAsync(hello.Length));

            // And once more while it relays, from both sides.
            await SendWithUrgentByteAsync(stranger, hello, places);
            Assert.Equal(hello, await visit.ReadExactlyAsync(hello.Length));
            await SendWithUrgentByteAsync(visit, hello, places);
            Assert.Equal(hello, await stranger.ReadExactlyAsync(hello.Length));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_relay_of_megabytes_loses_nothing_around_an_urgent_byte(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        await using var stranger = await Wire.ConnectAsync(test.Endpoint);
        await stranger.SendAsync("\x16\x03\x01\x00\x00"u8.ToArray());
        await using var visit = await site.NextVisitAsync();
        await visit.ReadExactlyAsync(5);
        var bytes = new byte[4 << 20];
        for (var i = 0; i < 5; i++)
        {
            var random = new Random(i);
            random.NextBytes(bytes);
            foreach (var (from, to) in new[] { (stranger, visit), (visit, stranger) })
            {
                var sending = SendWithUrgentByteAsync(from, bytes, random);
                var came = await to.ReadExactlyAsync(bytes.Length);
                Assert.True(bytes.AsSpan().SequenceEqual(came));
                await sending;
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_with_an_urgent_byte_in_its_hello_is_served_every_time(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        for (var i = 0; i < Times; i++)
        {
            await using var client = await test.ConnectAsync();
            await SendWithUrgentByteAsync(client.Wire, client.Hello, new Random(i));
            await client.ExpectFlightAsync();
            await client.EchoAsync(100);
            await client.Wire.SendUrgentAsync(0);
            await client.EchoAsync(2000);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task An_urgent_byte_that_nobody_reads_yet_is_no_reset(EngineKind engine)
    {
        await using var unanswered = await UnansweredEndpoint.StartAsync();
        await using var test = Start(engine, unanswered);
        await using var client = await test.GreetAsync(new ClientProfile { Dc = Unanswered });
        await client.SendHeaderAsync();
        await test.Metrics.UntilAsync("portico_protocol_ok_total", 1);
        await SendWithUrgentByteAsync(client.Wire, new byte[100], new Random(1));
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
        await test.UntilClosedAsync("dc_connect_timeout", "telegram");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_reset_behind_an_urgent_byte_that_nobody_reads_yet_is_one(EngineKind engine)
    {
        await using var unanswered = await UnansweredEndpoint.StartAsync();
        await using var test = Start(engine, unanswered);
        await using var client = await test.GreetAsync(new ClientProfile { Dc = Unanswered });
        await client.SendHeaderAsync();
        await test.Metrics.UntilAsync("portico_protocol_ok_total", 1);
        await SendWithUrgentByteAsync(client.Wire, new byte[100], new Random(1));
        client.Wire.Reset();
        await test.UntilClosedAsync("client_reset", "client");
    }

    private static ProxyUnderTest Start(EngineKind engine, UnansweredEndpoint unanswered) =>
        ProxyUnderTest.Start(engine, settings => settings with
        {
            Direct = new DirectSettings { Endpoints = settings.Direct.Endpoints.SetItem(Unanswered, [unanswered.Endpoint]) },
            Timeouts = settings.Timeouts with { DcConnect = TimeSpan.FromSeconds(2) },
        });

    // One at a time: a second one before the first is read would put the first among the ordinary bytes.
    private static async Task SendWithUrgentByteAsync(Wire wire, byte[] bytes, Random places)
    {
        var place = places.Next(bytes.Length + 1);
        await wire.SendAsync(bytes.AsMemory(0, place));
        await wire.SendUrgentAsync(0x55);
        await wire.SendAsync(bytes.AsMemory(place));
    }
}
