using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Cover;

/// <summary>
/// What somebody sees who knows no secret, or cannot prove it,
/// while no cover is configured (spec/02 sections 8 and 10.2).
/// </summary>
public sealed class StrangerWithoutCoverTests
{
    private static readonly Received DecodeErrorAlert = new([0x15, 3, 3, 0, 2, 2, 0x32], PeerEnd.Fin);
    private static readonly Received ClosedWithoutAByte = Received.Nothing(PeerEnd.Fin);

    private static readonly ProxySecret Other = ProxySecret.Create("some other bytes"u8);

    private static readonly ImmutableArray<Case> Cases =
    [
        new("malformed hello", _ => HelloBytes.Malformed(), DecodeErrorAlert, ProtocolError.TlsBadClientHello),
        new("hello without SNI", secret => NoSni(secret), DecodeErrorAlert, ProtocolError.TlsNoSni),
        new("hello without SNI, wrong secret", _ => NoSni(Other), DecodeErrorAlert, ProtocolError.TlsNoSni),
        new(
            "hello in nine records", secret => HelloBytes.Fragment(Hello(secret), [1, 1, 1, 1, 1, 1, 1, 1]),
            DecodeErrorAlert, ProtocolError.TlsBadClientHello),
        new(
            "empty record within a hello", secret => [.. HelloBytes.Fragment(Hello(secret), [700])[..705], 0x16, 3, 1, 0, 0],
            DecodeErrorAlert, ProtocolError.TlsBadClientHello),
        new("wrong secret", _ => Hello(Other), ClosedWithoutAByte, ProtocolError.TlsInvalidDigest),
        new(
            "wrong secret, bytes behind", _ => [.. Hello(Other), .. RandomNumberGenerator.GetBytes(3000)],
            ClosedWithoutAByte, ProtocolError.TlsInvalidDigest),
        new("last bit of the hello changed", secret => Flip(Hello(secret)), ClosedWithoutAByte, ProtocolError.TlsInvalidDigest),
        new("signed too long ago", secret => Hello(secret, -700), ClosedWithoutAByte, ProtocolError.TlsTime),
        new("signed in the future", secret => Hello(secret, +240), ClosedWithoutAByte, ProtocolError.TlsTime),
        new("clock unset", secret => HelloBytes.Create(secret, "www.example.org", 4711), ClosedWithoutAByte, ProtocolError.TlsTime),
        new(
            "no key share", secret => HelloBytes.Without(Hello(secret), 0x0033, secret, Now),
            ClosedWithoutAByte, ProtocolError.TlsMissingKeyShareExt),
        new("short TLS record", _ => [0x16, 3, 1, 0, 4, 2, 0, 0, 0], ClosedWithoutAByte, ProtocolError.TlsClientHelloTooShort),
        new(
            "HTTP request", _ => Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"),
            ClosedWithoutAByte, ProtocolError.UnknownProtocol),
        new("SSH greeting", _ => Encoding.ASCII.GetBytes("SSH-2.0-OpenSSH_9.6\r\n"), ClosedWithoutAByte, ProtocolError.UnknownProtocol),
        new("random bytes", _ => RandomStart(), ClosedWithoutAByte, ProtocolError.UnknownProtocol),
        new(
            "TLS application data", _ => [0x17, 3, 3, 0, 64, .. RandomNumberGenerator.GetBytes(64)],
            ClosedWithoutAByte, ProtocolError.UnknownProtocol),
    ];

    public static TheoryData<EngineKind, string> EveryCase => Engines.With(Cases.Select(item => item.Name).ToArray());

    private static uint Now => (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    [Theory]
    [MemberData(nameof(EveryCase))]
    public async Task A_stranger_sees_exactly_this_and_Telegram_nothing(EngineKind engine, string name)
    {
        var item = Cases.Single(item => item.Name == name);
        await using var test = ProxyUnderTest.Start(engine);
        Assert.Equal(item.Sees, await StrangerClient.CallAsync(test.Endpoint, item.Sends(test.Secret)));
        Assert.Equal(item.Sees, await StrangerClient.CallAsync(test.Endpoint, item.Sends(test.Secret), piece: 100));
        await test.UntilProtocolErrorAsync(item.Counted, 2);
        await test.UntilClosedAsync(item.Counted.Tag(), "client", 2);
        Assert.Empty(test.Telegram.Connections);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task On_a_listener_for_fake_TLS_only_anything_else_is_closed_without_a_byte(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, OnlyFakeTls);
        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Endpoint, "GET / HTTP/1.1\r\n\r\n"u8.ToArray()));
        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Endpoint, "x"u8.ToArray()));
        await test.UntilProtocolErrorAsync(ProtocolError.TlsClientHelloExpected, 2);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Silence_is_closed_at_the_handshake_deadline(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, ShortHandshake);
        var watch = Stopwatch.StartNew();
        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Endpoint, []));
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(6));
        await test.UntilClosedAsync("handshake_timeout", "client");
        await test.Metrics.UntilAsync("portico_timeouts_total", 1, ("phase", "handshake"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Bytes_do_not_extend_the_handshake_deadline(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, ShortHandshake);
        var hello = Hello(test.Secret);
        var watch = Stopwatch.StartNew();
        await using var wire = await Wire.ConnectAsync(test.Endpoint);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));  // a client that dribbles is what is tested
        var answer = wire.ReadToEndAsync();
        for (var sent = 0; !answer.IsCompleted && sent < hello.Length; sent++)
        {
            await wire.TrySendAsync(hello.AsMemory(sent, 1));
            await pace.WaitForNextTickAsync();
        }
        Assert.Empty((await answer).Bytes);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(6));
        await test.UntilClosedAsync("handshake_timeout", "client");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_stranger_who_finishes_sending_before_anybody_can_tell_is_closed_without_a_byte(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Endpoint, [], finish: true));
        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Endpoint, Hello(test.Secret)[..600], finish: true));
        await test.UntilClosedAsync("client_closed", "client", 2);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task The_alert_is_not_lost_to_a_stranger_who_goes_on_sending(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        byte[] much = [.. HelloBytes.Malformed(), .. RandomNumberGenerator.GetBytes(200_000)];
        Assert.Equal(DecodeErrorAlert, await StrangerClient.CallAsync(test.Endpoint, much));
    }

    private static ProxySettings ShortHandshake(ProxySettings settings) =>
        settings with { Timeouts = settings.Timeouts with { Handshake = TimeSpan.FromSeconds(1) } };

    private static ProxySettings OnlyFakeTls(ProxySettings settings) =>
        settings with { Listeners = [settings.Listeners[0] with { Protocols = ClientProtocols.FakeTls }] };

    private static byte[] Hello(ProxySecret secret, int seconds = 0) => HelloBytes.Create(secret, "www.example.org", (uint)(Now + seconds));

    private static byte[] NoSni(ProxySecret secret) => HelloBytes.Without(Hello(secret), 0x0000, secret, Now);

    private static byte[] Flip(byte[] hello)
    {
        hello[^1] ^= 1;
        return hello;
    }

    /// <summary>Random, but no beginning that has a meaning of its own.</summary>
    private static byte[] RandomStart()
    {
        var bytes = RandomNumberGenerator.GetBytes(300);
        bytes[0] = 0x80;
        return bytes;
    }

    private sealed record Case(string Name, Func<ProxySecret, byte[]> Sends, Received Sees, ProtocolError Counted);
}
