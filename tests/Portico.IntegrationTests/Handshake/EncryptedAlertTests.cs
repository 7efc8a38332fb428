using System.Security.Cryptography;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Handshake;

/// <summary>
/// Behind the flight, what cannot be decoded ends as at a TLS server:
/// one encrypted alert, FIN, no reset (spec/02 "Changed").
/// </summary>
public sealed class EncryptedAlertTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_wrong_tag_inside_TLS_is_answered_with_one_alert(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync(new ClientProfile { Transport = Transport.Intermediate });
        await client.SendAsync(RandomNumberGenerator.GetBytes(100));
        await AssertAlertAsync(test, client, ProtocolError.TlsBadInnerProtocol);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_header_of_another_secret_inside_TLS_is_answered_with_one_alert(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.Wire.SendAsync(Record(RandomNumberGenerator.GetBytes(64)));
        await AssertAlertAsync(test, client, ProtocolError.UnknownProtocol);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Bytes_that_are_no_record_are_answered_with_one_alert(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        await client.Wire.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await AssertAlertAsync(test, client, ProtocolError.TlsBadRecord);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_bad_record_in_a_relayed_session_is_answered_with_one_alert_and_Telegram_hears_no_more(EngineKind engine)
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
        var received = await client.Wire.ReadToEndAsync();
        Assert.True(received.IsEncryptedAlertAndFin, received.ToString());
    }

    private static async Task AssertAlertAsync(ProxyUnderTest test, FakeClient client, ProtocolError error)
    {
        await test.UntilProtocolErrorAsync(error);
        var received = await client.Wire.ReadToEndAsync();
        Assert.True(received.IsEncryptedAlertAndFin, received.ToString());
        await client.Wire.SendAsync(Record(RandomNumberGenerator.GetBytes(5000)));  // still read: no RST
        client.Wire.FinishSending();
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
        await test.UntilClosedAsync(error.Tag(), "client");
        Assert.Empty(test.Telegram.Connections);
    }

    private static byte[] Record(byte[] payload) => [0x17, 3, 3, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload];
}
