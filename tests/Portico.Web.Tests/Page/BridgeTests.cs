using Microsoft.Playwright;
using Portico.IntegrationTests;
using Portico.Protocol.WebProxy;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Page;

/// <summary>The bridge page in a real browser, between each app and each carrier.</summary>
[Collection(BrowserTests.Name)]
[Trait(Suite.Trait, Suite.Long)]
public sealed class BridgeTests(Browsers browsers)
{
    public static TheoryData<AppKind, WebCarrier, Way> All
    {
        get
        {
            var data = new TheoryData<AppKind, WebCarrier, Way>();
            foreach (var kind in Enum.GetValues<AppKind>())
            {
                foreach (var carrier in Enum.GetValues<WebCarrier>())
                {
                    data.Add(kind, carrier, Way.Tls);
                    data.Add(kind, carrier, Way.Http2);
                }
            }

            return data;
        }
    }

    [BrowserTheory]
    [MemberData(nameof(All))]
    public async Task An_app_is_welcome_within_a_second_and_its_frames_travel(AppKind kind, WebCarrier carrier, Way way)
    {
        // Each app meets both with each carrier.
        var path = ((int)kind + (int)way) % 2 == 0 ? "" : "some/where";
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Path = path, Carriers = [carrier] });
        var browser = await browsers.GetAsync(way, host.Server.Address);
        await using var app = await EnterAsync(browser, host, kind);

        await app.EchoAsync(1, 100);
        await app.EchoAsync(2, 1 << 20);
        await app.EchoAsync(1, 1000, isOpen: true);

        app.AssertHealthy();
        Assert.True(app.WelcomeTime < TimeSpan.FromSeconds(1), $"{app.WelcomeTime}");
        Assert.Equal(["connecting", "connected"], app.States);
    }

    // On a machine with other things to do the first page may be late.
    private static async Task<BridgeApp> EnterAsync(IBrowser browser, WebHostUnderTest host, AppKind kind)
    {
        for (var left = 2; ; left--)
        {
            var app = await BridgeApp.EnterAsync(browser, host, kind);
            if (left == 0 || app.WelcomeTime < TimeSpan.FromSeconds(1)) return app;
            await app.DisposeAsync();
        }
    }
}
