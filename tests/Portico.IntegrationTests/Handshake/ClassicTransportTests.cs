using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Handshake;

public sealed class ClassicTransportTests
{
    public static TheoryData<EngineKind, (Transport Transport, string Protocol)> EveryTransport =>
        Engines.With((Transport.Abridged, "abridged"), (Transport.Intermediate, "intermediate"), (Transport.Padded, "secure"));

    [Theory]
    [MemberData(nameof(EveryTransport))]
    public async Task A_client_without_TLS_is_relayed_in_its_own_framing(EngineKind engine, (Transport Transport, string Protocol) row)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync(Profile(row.Transport));
        await client.PingAsync();
        await client.EchoAsync(4);
        await client.EchoAsync(70_000);

        var dc = Assert.Single(test.Telegram.Connections);
        Assert.Equal(((short)5, row.Transport), (dc.DcId, dc.Transport));
        await test.Metrics.UntilAsync("portico_protocol_ok_total", 1, ("protocol", row.Protocol));
    }

    [Theory]
    [MemberData(nameof(EveryTransport))]
    public async Task The_header_may_come_in_single_bytes(EngineKind engine, (Transport Transport, string Protocol) row)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync(Profile(row.Transport) with { Piece = 1, IsSettled = true });
        await client.EchoAsync(30);
    }

    [Theory]
    [MemberData(nameof(EveryTransport))]
    public async Task The_first_packet_may_come_long_after_the_header(EngineKind engine, (Transport Transport, string Protocol) row)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync(Profile(row.Transport));
        await client.SendHeaderAsync();
        var dc = await test.Telegram.NextConnectionAsync();
        await dc.Greeted;
        await client.EchoAsync(30);
        Assert.Equal(dc, Assert.Single(test.Telegram.Connections));
    }

    [Theory]
    [MemberData(nameof(EveryTransport))]
    public async Task A_listener_for_fake_TLS_only_closes_a_client_without_TLS(
        EngineKind engine, (Transport Transport, string Protocol) row)
    {
        await using var test = ProxyUnderTest.Start(engine, Allow(ClientProtocols.FakeTls));
        await using var client = await test.GreetAsync(Profile(row.Transport));
        await client.SendHeaderAsync();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
        await test.UntilProtocolErrorAsync(ProtocolError.TlsClientHelloExpected);
        Assert.Empty(test.Telegram.Connections);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_protocol_that_is_not_allowed_is_closed_without_a_byte(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, Allow(ClientProtocols.Classic));
        await using var secure = await test.GreetAsync(Profile(Transport.Padded));
        await secure.SendHeaderAsync();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await secure.Wire.ReadToEndAsync());
        await using var tls = await test.ConnectAsync();
        await tls.SendHelloAsync();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await tls.Wire.ReadToEndAsync());
        await test.UntilProtocolErrorAsync(ProtocolError.DisabledProtocol, 2);
        Assert.Empty(test.Telegram.Connections);
    }

    private static ClientProfile Profile(Transport transport) =>
        new() { Mode = transport == Transport.Padded ? ClientMode.Secure : ClientMode.Plain, Transport = transport, Dc = 5 };

    private static Func<ProxySettings, ProxySettings> Allow(ClientProtocols protocols) =>
        settings => settings with { Listeners = [settings.Listeners[0] with { Protocols = protocols }] };
}
