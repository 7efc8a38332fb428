using Microsoft.AspNetCore.Http;
using Portico.IntegrationTests;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Page;

/// <summary>What passes between app and page beside good frames, and what happens to those that are not good.</summary>
[Collection(BrowserTests.Name)]
[Trait(Suite.Trait, Suite.Long)]
public sealed class BridgeBoundaryTests(Browsers browsers)
{
    public static TheoryData<AppKind> Kinds => [AppKind.Desktop, AppKind.Android, AppKind.AndroidOfText, AppKind.Browser];

    public static TheoryData<WebCarrier> Carriers => [.. Enum.GetValues<WebCarrier>()];

    [BrowserFact]
    public async Task A_page_without_an_app_does_nothing()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        var browser = await browsers.GetAsync(Way.Http2, host.Server.Address);
        await using var context = await browser.NewContextAsync(new() { IgnoreHTTPSErrors = true });
        var page = await context.NewPageAsync();
        var requests = new List<string>();
        page.Request += (_, request) => requests.Add(request.Url);

        await page.GotoAsync($"{host.BridgeUrl}#android=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        // Nobody that it knows.
        await page.EvaluateAsync("postMessage({t: 'tproxy-init', v: 1}, '*', [new MessageChannel().port2])");
        await page.EvaluateAsync("new Promise(resolve => setTimeout(resolve))");

        Assert.Equal([host.BridgeUrl], requests);
        Assert.Equal("https://proxy.example.com/", page.Url);
        Assert.Equal(0, host.Sessions.Count);
    }

    [BrowserTheory]
    [MemberData(nameof(Kinds))]
    public async Task An_app_that_closes_ends_its_session(AppKind kind)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        await using var app = await EnterAsync(host, kind);
        await app.EchoAsync(1, 100);

        await app.CloseAsync();

        await BridgeApp.UntilAsync(() => host.Sessions.Count == 0);
        Assert.DoesNotContain("failed", app.States);
        app.AssertHealthy();
    }

    [BrowserTheory]
    [MemberData(nameof(Carriers))]
    public async Task A_host_that_goes_in_good_order_is_not_asked_again(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Carriers = [carrier] });
        await using var app = await EnterAsync(host, AppKind.Desktop);
        await app.EchoAsync(1, 100);
        var requests = 0;
        app.Page.Request += (_, request) => requests += request.Method == "DELETE" ? 0 : 1;

        await host.Sessions.DrainAsync(TimeSpan.FromMilliseconds(100));

        // With a socket for each stream there is none on which it could be said.
        if (carrier == WebCarrier.WebSocketLanes) await app.EndAsync(1);
        else await app.ByeAsync();
        await BridgeApp.UntilAsync(() => host.Sessions.Count == 0);
        await app.Page.EvaluateAsync("new Promise(resolve => setTimeout(resolve))");
        Assert.Equal(["connecting", "connected"], app.States);
        Assert.Equal(0, requests);
        app.AssertHealthy();
    }

    [BrowserFact]
    public async Task Cookies_of_the_site_do_no_harm()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [WebCarrier.Https] });
        await using var front = await Terminator.StartAsync(host.Server.Address);
        front.Fault = context =>
        {
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.SetCookie = "site=1; Path=/; Secure";
                return Task.CompletedTask;
            });
            return front.ForwardAsync(context);
        };
        await using var app = await BridgeApp.EnterAsync(await browsers.GetAsync(Way.Http2, front.Address), host, AppKind.Desktop);

        await app.EchoAsync(1, 100);

        Assert.Single(await app.Context.CookiesAsync());
        app.AssertHealthy();
    }

    [BrowserTheory]
    [MemberData(nameof(Kinds))]
    public async Task A_page_that_goes_away_ends_its_session(AppKind kind)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Carriers = [WebCarrier.Https] });
        await using var app = await EnterAsync(host, kind);
        await app.EchoAsync(1, 100);

        await app.Page.GotoAsync("about:blank");

        await BridgeApp.UntilAsync(() => host.Sessions.Count == 0);
    }

    [BrowserTheory]
    [MemberData(nameof(Kinds))]
    public async Task Control_messages_that_it_does_not_know_are_nothing_to_it(AppKind kind)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        await using var app = await EnterAsync(host, kind);

        foreach (var text in new[] { "{\"t\":\"other\"}", "{}", "null", "5", "[]", "\"close\"" })
            await app.DeliverAsync(text, isControl: true);
        if (kind != AppKind.Browser) await app.DeliverAsync("no JSON", isControl: true);
        await app.EchoAsync(1, 100);

        app.AssertHealthy();
    }

    [BrowserTheory]
    [InlineData("01000001000000")]
    [InlineData("0100000100000001")]
    [InlineData("0100000100000000020000010010000100")]
    public async Task What_is_no_frame_of_an_app_ends_it_all_and_says_so(string bytes)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        await using var app = await EnterAsync(host, AppKind.Desktop);

        await app.DeliverAsync(Convert.ToBase64String(Convert.FromHexString(bytes)), isControl: false);

        await app.ClosedAsync();
        Assert.Equal("failed", app.States.Last());
        await BridgeApp.UntilAsync(() => host.Sessions.Count == 0);
        app.AssertHealthy();
    }

    [BrowserTheory]
    [InlineData("0700000100000000", false)]
    [InlineData("0100000100000000", false)]
    [InlineData("1100000000000000", false)]
    [InlineData("0200000000000001aa", false)]
    [InlineData("0500000100000000", false)]
    [InlineData("0200000100100001aa", false)]
    [InlineData("0200000200000001aa", true)]
    public async Task What_is_no_frame_of_a_proxy_never_reaches_an_app(string bytes, bool hasLanes)
    {
        var carrier = hasLanes ? WebCarrier.HttpsLanes : WebCarrier.Https;
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [carrier] });
        await using var front = await Terminator.StartAsync(host.Server.Address);
        front.Fault = context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/down", StringComparison.Ordinal))
                return front.ForwardAsync(context);
            if (hasLanes && context.Request.Headers["X-Lane-ID"] == "0")
                return Task.Delay(Timeout.Infinite, context.RequestAborted);
            context.Response.Headers["X-Down-Cursor"] = "1";
            return context.Response.Body.WriteAsync(Convert.FromHexString(bytes)).AsTask();
        };
        await using var app = await BridgeApp.OpenAsync(await browsers.GetAsync(Way.Http2, front.Address), host.BridgeUrl, AppKind.Desktop);

        await app.WelcomeAsync();
        await app.SendAsync(AppFrame.Open(1));

        await app.ClosedAsync();
        app.AssertHealthy();
    }

    [BrowserFact]
    public async Task In_a_frame_it_takes_the_first_port_that_comes_with_the_right_words()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        var browser = await browsers.GetAsync(Way.Http2, host.Server.Address);
        await using var app = await BridgeApp.OpenFrameAsync(browser, host.BridgeUrl, isByHand: true);
        string[] wrong =
        [
            "send({t: 'tproxy-init', v: 1})", "send({t: 'tproxy-init', v: 1}, [new MessageChannel().port2, new MessageChannel().port2])",
            "send({t: 'tproxy-init', v: 2}, [new MessageChannel().port2])", "send({t: 'tproxy-init'}, [new MessageChannel().port2])",
            "send({t: 'tproxy-init', v: 1, w: 1}, [new MessageChannel().port2])", "send('tproxy-init', [new MessageChannel().port2])",
            "send(null, [new MessageChannel().port2])", "send({t: 'tproxy-android-init', v: 1}, [new MessageChannel().port2])",
        ];

        foreach (var script in wrong) await app.Page.EvaluateAsync(script);
        var frame = app.Page.Frames.Single(frame => frame != app.Page.MainFrame);
        await frame.EvaluateAsync("postMessage({t: 'tproxy-init', v: 1}, '*', [new MessageChannel().port2])");
        Assert.Equal("https://proxy.example.com/", await frame.EvaluateAsync<string>("location.href"));
        Assert.Empty(app.States);
        await app.Page.EvaluateAsync("send({t: 'tproxy-init', v: 1}, [channel.port2])");
        await app.Page.EvaluateAsync("send({t: 'tproxy-init', v: 1}, [new MessageChannel().port2])");
        await app.HelloAsync();
        await app.WelcomeAsync();
        await app.EchoAsync(1, 100_000);

        Assert.Equal(["connecting", "connected"], app.States);
        Assert.InRange(app.Traffic.Up, 100_000, 110_000);
        Assert.InRange(app.Traffic.Down, 100_000, 110_000);
        Assert.Equal(1, host.Sessions.Count);
        app.AssertHealthy();
    }

    [BrowserTheory]
    [MemberData(nameof(Carriers))]
    public async Task The_policy_that_apps_add_allows_all_it_does(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [carrier] });
        await using var front = await Terminator.StartAsync(host.Server.Address);
        front.Fault = context =>
        {
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.Append(
                    "Content-Security-Policy",
                    "default-src 'none'; connect-src https://proxy.example.com wss://proxy.example.com; script-src 'unsafe-inline'");
                return Task.CompletedTask;
            });
            return front.ForwardAsync(context);
        };
        await using var app = await BridgeApp.EnterAsync(await browsers.GetAsync(Way.Http2, front.Address), host, AppKind.Desktop);

        await app.EchoAsync(1, 100);

        app.AssertHealthy();
    }

    [BrowserTheory]
    [MemberData(nameof(Carriers))]
    public async Task The_end_of_a_stream_is_told_either_way(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Carriers = [carrier] });
        await using var app = await EnterAsync(host, AppKind.Desktop);

        await app.SendAsync(AppFrame.Open(1), AppFrame.Data(1, "close"u8));
        await app.EndAsync(1);
        await app.EchoAsync(2, 100);
        await app.SendAsync(AppFrame.Close(2));
        // Late frames, and streams that are closed as soon as they are opened.
        await app.SendAsync(AppFrame.Data(1, [1]), AppFrame.Data(2, [2]));
        for (var stream = 3u; stream < 50; stream++) await app.SendAsync(AppFrame.Open(stream), AppFrame.Close(stream));
        await app.EchoAsync(50, 100);

        Assert.Equal(1, host.Sessions.Count);
        app.AssertHealthy();
    }

    [BrowserTheory]
    [InlineData(Way.Http2, WebCarrier.HttpsLanes)]
    [InlineData(Way.Http2, WebCarrier.WebSocketLanes)]
    [InlineData(Way.Tls, WebCarrier.HttpsLanes)]
    [InlineData(Way.Tls, WebCarrier.WebSocket)]
    public async Task Many_streams_do_not_wait_for_each_other(Way way, WebCarrier carrier)
    {
        // Over HTTP/1.1 a browser has too few connections for the lanes of so many.
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Carriers = [carrier, WebCarrier.Https] });
        await using var app = await BridgeApp.EnterAsync(await browsers.GetAsync(way, host.Server.Address), host, AppKind.Desktop);

        await Task.WhenAll(Enumerable.Range(1, 40).Select(stream => app.EchoAsync((uint)stream, 10_000)));

        app.AssertHealthy();
    }

    private async Task<BridgeApp> EnterAsync(WebHostUnderTest host, AppKind kind) =>
        await BridgeApp.EnterAsync(await browsers.GetAsync(Way.Http2, host.Server.Address), host, kind);
}
