using System.Security.Cryptography;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Handshake;

/// <summary>Once the flight is sent we are a TLS server; nothing a client sends may show that we are not (spec/02 section 11).</summary>
public sealed class QuietEndTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(400);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_wrong_tag_inside_TLS_is_never_answered(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync(new ClientProfile { Transport = Transport.Intermediate });
        await client.SendAsync(RandomNumberGenerator.GetBytes(100));
        await AssertSilenceAsync(test, client, ProtocolError.TlsBadInnerProtocol);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_header_of_another_secret_inside_TLS_is_never_answered(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.Wire.SendAsync(Record(RandomNumberGenerator.GetBytes(64)));
        await AssertSilenceAsync(test, client, ProtocolError.UnknownProtocol);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Bytes_that_are_no_record_are_never_answered(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.Wire.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await AssertSilenceAsync(test, client, ProtocolError.TlsBadRecord);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_bad_record_in_a_relayed_session_is_never_answered_and_Telegram_hears_no_more(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(100);
        var dc = Assert.Single(test.Telegram.Connections);
        var before = dc.BytesReceived;
        await client.Wire.SendAsync(new byte[] { 0x16, 3, 3, 0, 4, 1, 2, 3, 4 });
        await dc.Ended;
        Assert.Equal(before, dc.BytesReceived);
        await test.UntilProtocolErrorAsync(ProtocolError.TlsBadRecord);
        Assert.Equal(Received.Nothing(PeerEnd.Timeout), await client.Wire.ReadToEndAsync(Moment));
    }

    private static async Task AssertSilenceAsync(ProxyUnderTest test, FakeClient client, ProtocolError error)
    {
        await test.UntilProtocolErrorAsync(error);
        Assert.Equal(Received.Nothing(PeerEnd.Timeout), await client.Wire.ReadToEndAsync(Moment));
        await client.Wire.SendAsync(Record(RandomNumberGenerator.GetBytes(5000)));  // still read: no RST
        Assert.Equal(Received.Nothing(PeerEnd.Timeout), await client.Wire.ReadToEndAsync(Moment));
        client.Wire.FinishSending();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
        await test.UntilClosedAsync(error.Tag(), "client");
        Assert.Empty(test.Telegram.Connections);
    }

    private static byte[] Record(byte[] payload) => [0x17, 3, 3, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload];
}
