using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.ProxyProtocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Cover;

/// <summary>Strangers see the cover, over real sockets: the same bytes and the same ends on either side of the proxy.</summary>
public sealed class CoverTests
{
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n");

    private static readonly byte[] Signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

    private static readonly ProxySecret Other = ProxySecret.Create("some other bytes"u8);

    public static TheoryData<EngineKind, string> Strangers =>
        Engines.With("request", "wrong secret", "malformed hello", "hello in pieces", "random bytes", "short record");

    public static TheoryData<EngineKind, int> Versions => Engines.With(1, 2);

    private static uint Now => (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    [Theory]
    [MemberData(nameof(Strangers))]
    public async Task The_cover_gets_a_strangers_bytes_and_the_stranger_the_covers(EngineKind engine, string kind)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        var bytes = kind switch
        {
            "request" => Request,
            "wrong secret" => HelloBytes.Create(Other, "www.example.org", Now),
            "malformed hello" => HelloBytes.Malformed(),
            "hello in pieces" => HelloBytes.Fragment(HelloBytes.Create(Other, "www.example.org", Now), [1, 1, 600]),
            "random bytes" => [0x80, .. RandomNumberGenerator.GetBytes(16_383)],
            _ => [0x16, 3, 1, 0, 4, 2, 0, 0, 0],
        };
        await using var stranger = await Wire.ConnectAsync(test.Endpoint);
        await stranger.SendAsync(bytes, piece: kind == "hello in pieces" ? 100 : int.MaxValue);
        await using var visit = await site.NextVisitAsync();
        Assert.Equal(bytes, await visit.ReadExactlyAsync(bytes.Length));
        var answer = RandomNumberGenerator.GetBytes(5000);
        await visit.SendAsync(answer);
        visit.FinishSending();
        Assert.Equal(new Received(answer, PeerEnd.Fin), await stranger.ReadToEndAsync());
        await stranger.SendAsync("and more"u8.ToArray());
        stranger.FinishSending();
        Assert.Equal(new Received("and more"u8.ToArray(), PeerEnd.Fin), await visit.ReadToEndAsync());
        await test.UntilClosedAsync("cover_closed", "cover");
        await test.Metrics.UntilAsync("portico_cover_total", 1, ("listener", ProxyUnderTest.Listener), ("result", "ok"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_stranger_who_finishes_first_still_hears_the_cover(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        foreach (var bytes in new byte[][] { Request, [], [0x16, 3, 1, 2, 0, 1, 0] })
        {
            await using var stranger = await Wire.ConnectAsync(test.Endpoint);
            await stranger.SendAsync(bytes);
            stranger.FinishSending();
            await using var visit = await site.NextVisitAsync();
            Assert.Equal(new Received(bytes, PeerEnd.Fin), await visit.ReadToEndAsync());
            await visit.SendAsync("late"u8.ToArray());
            visit.FinishSending();
            Assert.Equal(new Received("late"u8.ToArray(), PeerEnd.Fin), await stranger.ReadToEndAsync());
        }

        await test.UntilClosedAsync("client_closed", "client", 3);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_reset_of_either_side_is_a_reset_to_the_other(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        await using (var stranger = await Wire.ConnectAsync(test.Endpoint))
        {
            await stranger.SendAsync(Request);
            await using var visit = await site.NextVisitAsync();
            await visit.ReadExactlyAsync(Request.Length);
            visit.Reset();
            Assert.Equal(Received.Nothing(PeerEnd.Reset), await stranger.ReadToEndAsync());
            await test.UntilClosedAsync("cover_reset", "cover");
        }

        await using (var stranger = await Wire.ConnectAsync(test.Endpoint))
        {
            await stranger.SendAsync(Request);
            await using var visit = await site.NextVisitAsync();
            await visit.ReadExactlyAsync(Request.Length);
            stranger.Reset();
            Assert.Equal(Received.Nothing(PeerEnd.Reset), await visit.ReadToEndAsync());
            await test.UntilClosedAsync("client_reset", "client");
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_cover_that_closes_with_bytes_unread_resets_the_stranger_as_it_would_without_us(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        await using var stranger = await Wire.ConnectAsync(test.Endpoint);
        await stranger.SendAsync(Request);
        var visit = await site.NextVisitAsync();
        await visit.SendAsync("bad request"u8.ToArray());
        Assert.Equal("bad request"u8.ToArray(), await stranger.ReadExactlyAsync(11));
        await visit.DisposeAsync(); // the request was never read
        Assert.Equal(Received.Nothing(PeerEnd.Reset), await stranger.ReadToEndAsync());
        await test.UntilClosedAsync("cover_reset", "cover");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Silence_is_at_the_cover_after_the_time_to_decide_and_ends_when_the_cover_ends_it(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        var shortHandshake = (ProxySettings settings) =>
            site.Settings()(settings) with { Timeouts = settings.Timeouts with { Handshake = TimeSpan.FromSeconds(1) } };
        await using var test = ProxyUnderTest.Start(engine, shortHandshake);
        var watch = Stopwatch.StartNew();
        await using var stranger = await Wire.ConnectAsync(test.Endpoint);
        await using var visit = await site.NextVisitAsync();
        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(40), TimeSpan.FromSeconds(5));
        // far beyond the handshake deadline
        Assert.Equal(Received.Nothing(PeerEnd.Timeout), await stranger.ReadToEndAsync(TimeSpan.FromSeconds(2)));
        visit.FinishSending();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await stranger.ReadToEndAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_of_ours_whose_hello_comes_late_is_let_in_if_the_cover_has_kept_quiet(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings(cover => cover with { Decide = TimeSpan.FromMilliseconds(50) }));
        await using var client = await test.ConnectAsync();
        await using (var visit = await site.NextVisitAsync())
        {
            await client.GreetAsync();
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await visit.ReadToEndAsync());
        }

        await client.EchoAsync(1000);
        Assert.Equal(1, site.Visits);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_hundred_megabytes_through_the_cover_arrive_whole_and_at_both_ends_at_once(EngineKind engine)
    {
        const int Pieces = 100, PieceLength = 1 << 20;
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        await using var stranger = await Wire.ConnectAsync(test.Endpoint);
        await stranger.SendAsync(Request);
        await using var visit = await site.NextVisitAsync();
        await visit.ReadExactlyAsync(Request.Length);
        var piece = RandomNumberGenerator.GetBytes(PieceLength);
        var down = SendAsync(visit, piece, Pieces);
        var up = SendAsync(stranger, piece, Pieces / 10);
        var seen = await Task.WhenAll(HashAsync(stranger), HashAsync(visit));
        await Task.WhenAll(down, up);
        Assert.Equal([HashOf(piece, Pieces), HashOf(piece, Pieces / 10)], seen);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_cover_behind_a_Unix_socket_is_a_cover(EngineKind engine)
    {
        var directory = Directory.CreateTempSubdirectory("portico-");
        await using (var site = CoverSite.StartUnix(Path.Combine(directory.FullName, "site.sock")))
        {
            await using var test = ProxyUnderTest.Start(engine, site.Settings(cover => cover with { ProxyProtocol = 1 }));
            await using var stranger = await Wire.ConnectAsync(test.Endpoint);
            await stranger.SendAsync(Request);
            await using var visit = await site.NextVisitAsync();
            var head = Encoding.ASCII.GetBytes($"PROXY TCP4 127.0.0.1 127.0.0.1 {stranger.Local.Port} {test.Endpoint.Port}\r\n");
            Assert.Equal(head.Concat(Request), await visit.ReadExactlyAsync(head.Length + Request.Length));
            await visit.SendAsync("from a file"u8.ToArray());
            visit.FinishSending();
            Assert.Equal(new Received("from a file"u8.ToArray(), PeerEnd.Fin), await stranger.ReadToEndAsync());
            stranger.FinishSending();
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await visit.ReadToEndAsync());
        }

        directory.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task The_cover_is_told_who_the_stranger_is(EngineKind engine, int version)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings(cover => cover with { ProxyProtocol = version }));
        await using var stranger = await Wire.ConnectAsync(test.Endpoint);
        await stranger.SendAsync(Request);
        await using var visit = await site.NextVisitAsync();
        byte[] head = version == 1
            ? Encoding.ASCII.GetBytes($"PROXY TCP4 127.0.0.1 127.0.0.1 {stranger.Local.Port} {test.Endpoint.Port}\r\n")
            :
            [
                .. Signature, 0x21, 0x11, 0, 12, 127, 0, 0, 1, 127, 0, 0, 1,
                .. BigEndian(stranger.Local.Port), .. BigEndian(test.Endpoint.Port),
            ];
        Assert.Equal(head.Concat(Request), await visit.ReadExactlyAsync(head.Length + Request.Length));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Behind_a_balancer_the_cover_is_told_of_the_stranger_that_it_names(EngineKind engine, int version)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, settings =>
        {
            settings = site.Settings(cover => cover with { ProxyProtocol = version })(settings);
            return settings with
            {
                Listeners = [settings.Listeners[0] with { TrustedBalancers = [new IPNetwork(IPAddress.Loopback, 32)] }],
            };
        });
        foreach (var (source, destination) in
            new[] { ("203.0.113.9:40000", "198.51.100.1:443"), ("[2001:db8::9]:40001", "[2001:db8::1]:443") })
        {
            var head = new byte[ProxyHeader.MaxLength];
            head = head[..ProxyHeader.Write(head, version, IPEndPoint.Parse(source), IPEndPoint.Parse(destination))];
            byte[] both = [.. head, .. Request];
            await using var stranger = await Wire.ConnectAsync(test.Endpoint);
            await stranger.SendAsync(both);
            await using var visit = await site.NextVisitAsync();
            Assert.Equal(both, await visit.ReadExactlyAsync(both.Length));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_cover_that_is_down_costs_a_stranger_its_connection_without_a_byte_and_nobody_else_anything(EngineKind engine)
    {
        var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        await site.DisposeAsync();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(test.Endpoint, Request));
        await test.UntilClosedAsync("cover_connect_failed", "cover");
        await test.Metrics.UntilAsync("portico_cover_total", 1, ("listener", ProxyUnderTest.Listener), ("result", "connect_error"));
        await using var client = await test.GreetAsync();
        await client.EchoAsync(100);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_stranger_that_found_no_cover_before_it_spoke_and_none_after_it_is_counted_once(EngineKind engine)
    {
        var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        await site.DisposeAsync();
        await using var stranger = await Wire.ConnectAsync(test.Endpoint);
        await test.Metrics.UntilAsync("portico_cover_total", 1, ("result", "connect_error"));
        await stranger.SendAsync(Request);
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await stranger.ReadToEndAsync());
        await test.UntilClosedAsync("cover_connect_failed", "cover");
        Assert.Equal(1, test.Metrics.Value("portico_cover_total"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Over_the_limit_the_stranger_that_was_silent_longest_gives_way_on_whichever_loop_it_is(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings(cover => cover with { MaxConnections = 4 }));
        var (strangers, visits) = (new List<Wire>(), new List<Wire>());
        for (var i = 0; i < 12; i++)
        {
            strangers.Add(await Wire.ConnectAsync(test.Endpoint));
            await strangers[^1].SendAsync(Request);
            visits.Add(await site.NextVisitAsync());
        }

        // A loop may have to ask another one, which takes a moment.
        while (test.Proxy.Cover.Budget.Count > 4) await test.SettleAsync();
        var ends = await Task.WhenAll(strangers.Select(stranger => stranger.ReadToEndAsync(TimeSpan.FromSeconds(1))));
        Assert.Equal(8, ends.Count(seen => seen == Received.Nothing(PeerEnd.Fin)));
        Assert.Equal(4, ends.Count(seen => seen == Received.Nothing(PeerEnd.Timeout)));
        Assert.Equal(PeerEnd.Timeout, ends[^1].End);
        foreach (var wire in strangers.Concat(visits)) await wire.DisposeAsync();
        await test.UntilEmptyAsync();
        Assert.Equal(0, test.Proxy.Cover.Budget.Count);
    }

    private static byte[] BigEndian(int port) => [(byte)(port >> 8), (byte)port];

    private static async Task SendAsync(Wire wire, byte[] piece, int count)
    {
        for (var i = 0; i < count; i++) await wire.SendAsync(piece);
        wire.FinishSending();
    }

    private static async Task<string> HashAsync(Wire wire)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 18];
        while (true)
        {
            var (count, end) = await wire.ReadSomeAsync(buffer);
            if (end != PeerEnd.None)
                return $"{Convert.ToHexStringLower(hash.GetHashAndReset())} then {end}";
            hash.AppendData(buffer, 0, count);
        }
    }

    private static string HashOf(byte[] piece, int count)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < count; i++) hash.AppendData(piece);
        return $"{Convert.ToHexStringLower(hash.GetHashAndReset())} then {PeerEnd.Fin}";
    }
}
