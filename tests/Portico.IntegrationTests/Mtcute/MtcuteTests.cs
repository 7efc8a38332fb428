using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Xunit;

namespace Portico.IntegrationTests.Mtcute;

/// <summary>
/// A client of another make than Telegram's: it sends its ChangeCipherSpec alone, and another hello.
/// Goes as far as the fake Telegram, which has no key of Telegram's: connection, req_pq_multi, its answer.
/// </summary>
public sealed class MtcuteTests
{
    internal const string Node = "node";

    private const string Domain = "www.example.org";

    public static TheoryData<EngineKind, string> EveryLink => Engines.With("ee", "dd", "plain");

    [MtcuteTheory]
    [MemberData(nameof(EveryLink))]
    public async Task mtcute_reaches_Telegram_through_the_proxy(EngineKind engine, string link)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await AssertServedAsync(test, link);
    }

    [MtcuteTheory(NginxCover.Program)]
    [MemberData(nameof(EveryLink))]
    public async Task mtcute_reaches_Telegram_although_strangers_are_shown_a_cover(EngineKind engine, string link)
    {
        await using var cover = await NginxCover.StartAsync(TimeSpan.FromSeconds(60));
        await using var test = ProxyUnderTest.Start(engine, settings => settings with { Cover = cover.Settings });
        await AssertServedAsync(test, link);
        Assert.Equal(0, test.Metrics.Value("portico_cover_total"));
    }

    private static async Task AssertServedAsync(ProxyUnderTest test, string link)
    {
        var (code, _, errors) = await ConnectAsync(test, link, test.Secret);
        Assert.True(code == 0, errors);
        var (transport, protocol) = link switch
        {
            "ee" => (Transport.Padded, "fake_tls"),
            "dd" => (Transport.Padded, "secure"),
            _ => (Transport.Intermediate, "intermediate"),
        };
        Assert.All(test.Telegram.Connections, dc => Assert.Equal(transport, dc.Transport));
        Assert.NotEmpty(test.Telegram.Connections);
        Assert.True(test.Metrics.Value("portico_protocol_ok_total", ("protocol", protocol)) >= 1);
    }

    private static Task<(int Code, string Output, string Errors)> ConnectAsync(ProxyUnderTest test, string link, ProxySecret secret) =>
        Programs.RunAsync(
            Node,
            [
                Path.Combine(RepositoryRoot.Path, "tests", "mtcute", "connect.cjs"), MtcuteTheoryAttribute.Folder,
                $"{test.Endpoint.Address}", $"{test.Endpoint.Port}", Text(link, secret),
            ]);

    private static string Text(string link, ProxySecret secret) => link switch
    {
        "ee" => SecretText.FormatFakeTls(secret, Domain),
        "dd" => SecretText.FormatSecure(secret),
        _ => SecretText.FormatSimple(secret),
    };
}
