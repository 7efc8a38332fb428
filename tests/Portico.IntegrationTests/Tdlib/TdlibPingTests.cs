using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Xunit;

namespace Portico.IntegrationTests.Tdlib;

/// <summary>
/// The client that Telegram itself publishes, through the proxy, to the fake Telegram.
/// One class: the library has one queue of answers per process.
/// </summary>
public sealed class TdlibPingTests
{
    private const string Domain = "www.example.org";

    public static TheoryData<EngineKind, string> EveryLink => Engines.With("ee", "ee in base64", "dd", "plain");

    [TdlibTheory]
    [MemberData(nameof(EveryLink))]
    public async Task TDLib_pings_Telegram_through_the_proxy(EngineKind engine, string link)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await TdlibClient.StartAsync();
        var answer = await client.PingProxyAsync(test.Endpoint, Link(link, test.Secret));
        Assert.True((string?)answer["@type"] == "seconds", answer.ToJsonString());

        var (transport, protocol) = link switch
        {
            "ee" or "ee in base64" => (Transport.Padded, "fake_tls"),
            "dd" => (Transport.Padded, "secure"),
            _ => (Transport.Intermediate, "intermediate"),
        };
        var dc = Assert.Single(test.Telegram.Connections);
        Assert.Equal(transport, dc.Transport);
        Assert.InRange(Math.Abs(dc.DcId), 1, 5);
        await test.Metrics.UntilAsync("portico_protocol_ok_total", 1, ("protocol", protocol));
    }

    [TdlibTheory(NginxCover.Program)]
    [MemberData(nameof(EveryLink))]
    public async Task TDLib_pings_Telegram_although_strangers_are_shown_a_cover(EngineKind engine, string link)
    {
        await using var cover = await NginxCover.StartAsync(TimeSpan.FromSeconds(60));
        await using var test = ProxyUnderTest.Start(engine, settings => settings with { Cover = cover.Settings });
        await using var client = await TdlibClient.StartAsync();
        var answer = await client.PingProxyAsync(test.Endpoint, Link(link, test.Secret));
        Assert.True((string?)answer["@type"] == "seconds", answer.ToJsonString());
        Assert.Single(test.Telegram.Connections);
        Assert.Equal(0, test.Metrics.Value("portico_cover_total"));
    }

    [TdlibTheory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task TDLib_with_another_secret_gets_nowhere(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await TdlibClient.StartAsync();
        var answer = await client.PingProxyAsync(
            test.Endpoint, Link("ee", ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length))));
        Assert.True((string?)answer["@type"] == "error", answer.ToJsonString());
        await test.UntilProtocolErrorAsync(ProtocolError.TlsInvalidDigest);
        Assert.Empty(test.Telegram.Connections);
    }

    private static string Link(string kind, ProxySecret secret) => kind switch
    {
        "ee" => SecretText.FormatFakeTls(secret, Domain),
        "ee in base64" => SecretText.FormatFakeTlsBase64Url(secret, Domain),
        "dd" => SecretText.FormatSecure(secret),
        _ => SecretText.FormatSimple(secret),
    };
}
