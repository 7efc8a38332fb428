using Portico.Core.Net;
using Portico.IntegrationTests;
using Portico.IntegrationTests.Web;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Clients;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Page;

/// <summary>From a client of Telegram's through the page in a real browser and the whole proxy to a data centre, and back.</summary>
[Collection(BrowserTests.Name)]
public sealed class TelegramThroughPageTests(Browsers browsers)
{
    public static TheoryData<WebCarrier, Way, bool, bool, string> All => Rows(Enumerable.Range(0, 16));

    /// <summary>Each two of the four choices meet in one of these.</summary>
    public static TheoryData<WebCarrier, Way, bool, bool, string> Few => Rows([0b0000, 0b0111, 0b1011, 0b1101, 0b1110]);

    private static TheoryData<WebCarrier, Way, bool, bool, string> Rows(IEnumerable<int> choices)
    {
        var data = new TheoryData<WebCarrier, Way, bool, bool, string>();
        foreach (var (carrier, bits) in Enum.GetValues<WebCarrier>().SelectMany(carrier => choices.Select(bits => (carrier, bits))))
        {
            var (way, path) = ((bits & 1) == 0 ? Way.Http2 : Way.Tls, (bits & 8) == 0 ? "" : "some/where");
            data.Add(carrier, way, (bits & 2) != 0, (bits & 4) != 0, path);
        }

        return data;
    }

    [BrowserTheory]
    [MemberData(nameof(All))]
    [Trait(Suite.Trait, Suite.Minutes)]
    public Task Every_combination_answers_the_first_question_and_brings_transfers(
        WebCarrier carrier, Way way, bool isMiddle, bool isSecure, string path) =>
        The_first_question_is_answered_and_transfers_arrive(carrier, way, isMiddle, isSecure, path);

    [BrowserTheory]
    [MemberData(nameof(Few))]
    [Trait(Suite.Trait, Suite.Long)]
    public async Task The_first_question_is_answered_and_transfers_arrive(
        WebCarrier carrier, Way way, bool isMiddle, bool isSecure, string path)
    {
        // Each app meets each carrier in some of these.
        var kind = (AppKind)(((int)carrier + (way == Way.Tls ? 1 : 0) + (isMiddle ? 2 : 0) + (isSecure ? 3 : 0) + path.Length) % 6);
        await using var stage = await WebHostStage.StartAsync(
            EngineKind.Auto, new() { IsMiddle = isMiddle, Path = path, Carriers = [carrier] });
        var browser = await browsers.GetAsync(way, stage.Door);
        await using var app = await BridgeApp.EnterAsync(browser, stage.BridgeUrl(isSecure), kind);
        await using var port = new BridgePort(app);
        var profile = isSecure
            ? new ClientProfile { Mode = ClientMode.Secure }
            : new ClientProfile { Mode = ClientMode.Plain, Transport = Transport.Intermediate };

        await using var client = await FakeClient.ConnectAsync(port.Address, profile with { Secret = stage.Test.Secret });
        await client.PingAsync();
        await client.EchoAsync(1000);
        await client.DownloadAsync(5, 100_000);
        await client.UploadAsync(5, 100_000);
        await using var second = await FakeClient.ConnectAsync(port.Address, profile with { Secret = stage.Test.Secret });
        await second.PingAsync();

        app.AssertHealthy();
    }
}
