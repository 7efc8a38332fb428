using System.Net;
using System.Text;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.ProxyProtocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Handshake;

/// <summary>Behind a balancer: the PROXY header says who the client is, from whom it is believed and from nobody else.</summary>
public sealed class ProxyHeaderTests
{
    private static readonly IPEndPoint Client = new(IPAddress.Parse("203.0.113.9"), 40000);
    private static readonly IPEndPoint ClientV6 = new(IPAddress.Parse("2001:db8::9"), 40001);
    private static readonly IPEndPoint Site = new(IPAddress.Parse("198.51.100.1"), 443);
    private static readonly IPEndPoint SiteV6 = new(IPAddress.Parse("2001:db8::1"), 443);

    public static TheoryData<EngineKind, string> Headers
    {
        get
        {
            var all = new TheoryData<EngineKind, string>();
            foreach (var engine in Engines.Kinds)
                foreach (var kind in new[] { "v1", "v2", "v1 v6", "v2 v6", "v2 with additions", "v1 unknown", "v2 local" })
                    all.Add(engine, kind);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task The_middle_proxy_hears_of_the_client_that_the_header_names(EngineKind engine, string kind)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine, Trusting("127.0.0.0/8"));
        await test.UntilLinksAsync(1);
        var (header, named) = HeaderOf(kind);
        await using var client = await test.ConnectAsync();
        await client.Wire.SendAsync(header);
        await client.GreetAsync();
        await client.EchoAsync(1000);
        var request = test.Network.MiddleProxy(2).Requests[^1];
        Assert.Equal(named ?? client.Wire.Local, request.Client);
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task It_may_come_with_the_hello_and_in_any_pieces(EngineKind engine, string kind)
    {
        await using var test = ProxyUnderTest.Start(engine, Trusting("127.0.0.1"));
        var (header, _) = HeaderOf(kind);
        await using (var client = await test.ConnectAsync())
        {
            byte[] both = [.. header, .. client.Hello];
            await client.Wire.SendAsync(both);
            await client.ExpectFlightAsync();
            await client.EchoAsync(1000);
        }

        await using (var client = await test.ConnectAsync())
        {
            byte[] all = [.. header, .. client.Hello];
            var from = 0;
            foreach (var to in new[] { 1, header.Length - 1, header.Length + 7, all.Length })
            {
                await client.Wire.SendAsync(all.AsMemory(from, to - from));
                await Task.Delay(20);
                from = to;
            }

            await client.ExpectFlightAsync();
            await client.EchoAsync(1000);
        }

        await using (var client = await test.ConnectAsync(new ClientProfile { Mode = ClientMode.Secure }))
        {
            await client.Wire.SendAsync(header);
            await client.EchoAsync(1000);
        }
    }

    [ToolTheory(HaproxyCover.Program)]
    [InlineData(EngineKind.Epoll, "send-proxy")]
    [InlineData(EngineKind.Epoll, "send-proxy-v2")]
    [InlineData(EngineKind.Sockets, "send-proxy-v2 proxy-v2-options crc32c,unique-id")]
    public async Task Behind_HAProxy_the_client_is_who_connected_to_it(EngineKind engine, string header)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine, Trusting("127.0.0.0/8"));
        await test.UntilLinksAsync(1);
        await using var balancer = await HaproxyBalancer.StartAsync(test.Endpoint, header);
        await using var client = await FakeClient.ConnectAsync(balancer.Endpoint, new ClientProfile { Secret = test.Secret });
        await client.GreetAsync();
        await client.EchoAsync(1000);
        await client.DownloadAsync(4, 64 * 1024);
        Assert.All(test.Network.MiddleProxy(2).Requests, request => Assert.Equal(client.Wire.Local, request.Client));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Without_a_header_a_balancers_connection_ends_and_one_line_says_why(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, Trusting("10.0.0.0/8", "127.0.0.0/8"));
        await using (var client = await test.ConnectAsync())
        {
            await client.Wire.SendAsync(client.Hello);
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        }

        await test.UntilClosedAsync("proxy_header", "operator");
        await using (var silent = await Wire.ConnectAsync(test.Endpoint))
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await silent.ReadToEndAsync()); // after three seconds
        await test.UntilClosedAsync("proxy_header", "operator", 2);
        Assert.Single(test.Logs.Lines, line => line.EventName == "ProxyHeaderMissing");

        // A look whether the port is open is neither.
        await using (var look = await Wire.ConnectAsync(test.Endpoint))
            look.FinishSending();
        await test.UntilClosedAsync("client_closed", "client");
        Assert.Equal(0, test.Metrics.Value("portico_early_ends_total"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_balancer_that_looks_whether_we_are_there_is_no_client_that_was_lost(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, Trusting("127.0.0.1"));
        foreach (var kind in new[] { "v2 local", "v1 unknown" })
        {
            await using var look = await Wire.ConnectAsync(test.Endpoint);
            await look.SendAsync(HeaderOf(kind).Header);
            look.FinishSending();
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await look.ReadToEndAsync());
        }

        await test.UntilClosedAsync("client_closed", "client", 2);
        Assert.Equal(0, test.Metrics.Value("portico_early_ends_total"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_header_that_does_not_end_is_waited_for_three_seconds_whatever_comes(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, Trusting("127.0.0.1"));
        await using var wire = await Wire.ConnectAsync(test.Endpoint);
        var ended = wire.ReadToEndAsync();
        foreach (var one in "PROXY TCP4 203.0.113.9 198.51.100.1 40000 44"u8.ToArray())
        {
            await wire.TrySendAsync(new[] { one });
            // The pace is what is tested.
            if (await Task.WhenAny(ended, Task.Delay(100)) == ended)
                break;
        }

        Assert.Equal(PeerEnd.Fin, (await ended).End);
        await test.UntilClosedAsync("proxy_header", "operator");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task From_anybody_else_a_header_is_a_strangers_first_bytes_and_one_line_says_so(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, settings => Trusting("192.0.2.0/24")(settings) with
        {
            Timeouts = settings.Timeouts with { Handshake = TimeSpan.FromSeconds(1) }, // version 2 may be the start of anything
        });
        foreach (var kind in new[] { "v2", "v1", "v1" })
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(test.Endpoint, HeaderOf(kind).Header));
        var line = Assert.Single(test.Logs.Lines, line => line.EventName == "ProxyHeaderUnexpected");
        Assert.Contains("listeners[0].proxyProtocol.trusted", line.Text, StringComparison.Ordinal);

        await using var client = await test.GreetAsync();
        await client.EchoAsync(1000);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Limits_count_the_clients_and_not_the_balancer(EngineKind engine)
    {
        const int PerAddress = 4, Addresses = 10;
        await using var test = ProxyUnderTest.Start(engine, settings => Trusting("127.0.0.1")(settings) with
        {
            Loops = 1,
            Limits = new LimitSettings { UnauthenticatedPerAddress = PerAddress, CountsLoopback = true },
        });
        var held = new List<Wire>();
        try
        {
            for (var i = 0; i < Addresses * PerAddress; i++)
            {
                held.Add(await Wire.ConnectAsync(test.Endpoint));
                await held[^1].SendAsync(Written(2, new IPEndPoint(IPAddress.Parse($"203.0.113.{i % Addresses}"), 1), Site));
            }

            await test.Metrics.UntilAsync("portico_connections_accepted_total", Addresses * PerAddress);
            await test.SettleAsync();
            Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total"));

            held.Add(await Wire.ConnectAsync(test.Endpoint));
            await held[^1].SendAsync(Written(1, new IPEndPoint(IPAddress.Parse("203.0.113.3"), 1), Site));
            await test.UntilClosedAsync("address_limit", "client");
        }
        finally
        {
            foreach (var wire in held) await wire.DisposeAsync();
        }
    }

    private static Func<ProxySettings, ProxySettings> Trusting(params string[] networks) => settings => settings with
    {
        Listeners = [settings.Listeners[0] with { TrustedBalancers = [.. networks.Select(Network)] }],
    };

    private static IPNetwork Network(string text) =>
        NetworkText.TryParse(text, out var network, out var problem) ? network : throw new ArgumentException(problem, nameof(text));

    private static (byte[] Header, IPEndPoint? Named) HeaderOf(string kind) => kind switch
    {
        "v1" => (Written(1, Client, Site), Client),
        "v2" => (Written(2, Client, Site), Client),
        "v1 v6" => (Written(1, ClientV6, SiteV6), ClientV6),
        "v2 v6" => (Written(2, ClientV6, SiteV6), ClientV6),
        "v2 with additions" => (WithAdditions(Written(2, Client, Site), 700), Client),
        "v1 unknown" => (Encoding.ASCII.GetBytes("PROXY UNKNOWN\r\n"), null),
        "v2 local" => (Written(2, null, null), null),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static byte[] Written(int version, IPEndPoint? source, IPEndPoint? destination)
    {
        var target = new byte[ProxyHeader.MaxLength];
        return target[..ProxyHeader.Write(target, version, source, destination)];
    }

    // A type that nobody knows, and a length of two bytes.
    private static byte[] WithAdditions(byte[] header, int count)
    {
        var length = header.Length - 16 + 3 + count;
        (header[14], header[15]) = ((byte)(length >> 8), (byte)length);
        return [.. header, 0xee, (byte)(count >> 8), (byte)count, .. new byte[count]];
    }
}
