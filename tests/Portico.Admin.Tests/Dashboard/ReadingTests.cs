using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Portico.IntegrationTests;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Xunit;

namespace Portico.Admin.Tests.Dashboard;

/// <summary>Whether everybody can read the pages: as axe judges them.</summary>
[Collection(DashboardTests.Name)]
[Trait(Suite.Trait, Suite.Long)]
public sealed class ReadingTests(DashboardBrowser browser)
{
    [ToolTheory(DashboardBrowser.Program)]
    [InlineData(ColorScheme.Light, "en-GB", 1280)]
    [InlineData(ColorScheme.Dark, "en-GB", 1280)]
    [InlineData(ColorScheme.Light, "fa-IR", 1280)]
    [InlineData(ColorScheme.Dark, "fa-IR", 360)]
    [InlineData(ColorScheme.Light, "ru-RU", 360)]
    [InlineData(ColorScheme.Dark, "zh-CN", 360)]
    public async Task Nothing_keeps_anybody_from_reading_a_page(ColorScheme colours, string language, int width)
    {
        await using var test = await DashboardPages.StartAsync();
        var secret = ProxySecret.Create(Convert.FromHexString("a1b2c3d4e5f60718293a4b5c6d7e8f90"));
        await using var client = await test.Proxy.GreetAsync(new ClientProfile { Secret = secret });
        await client.EchoAsync(10_000);
        BrowserNewContextOptions Options() => new()
        {
            ColorScheme = colours,
            Locale = language,
            ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = new() { Width = width, Height = 900 },
        };
        var problems = new List<string>();
        await using (var stranger = await browser.OpenAsync(test, Options()))
        {
            await stranger.Page.GotoAsync("/");
            await stranger.Page.Locator("input[name=token]").WaitForAsync();
            await JudgeAsync(stranger, "sign in", problems);
        }

        await using var tab = await browser.SignedInAsync(test, Options());
        foreach (var page in DashboardPages.OfUser("alice"))
        {
            await tab.ShowAllOfAsync(page);
            await JudgeAsync(tab, page, problems);
            var isTooWide = await tab.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth > innerWidth");
            if (isTooWide) problems.Add($"{page} is wider than the screen");
        }

        // Questions above a page, and what is there when somebody has chosen rows.
        await tab.ShowAllOfAsync("users");
        await tab.Page.Locator("thead input[type=checkbox]").CheckAsync();
        await JudgeAsync(tab, "users, all of them chosen", problems);
        await tab.Page.Locator("main .page-head button").ClickAsync();
        await tab.Page.Locator("dialog[open]").WaitForAsync();
        await JudgeAsync(tab, "adding a user", problems);
        var direction = language.StartsWith("fa", StringComparison.Ordinal) ? "rtl" : "ltr";
        Assert.Equal(direction, await tab.Page.EvaluateAsync<string>("document.dir"));
        Assert.Equal(language[..2], await tab.Page.EvaluateAsync<string>("document.documentElement.lang"));
        Assert.Equal([], problems);
    }

    [ToolFact(DashboardBrowser.Program)]
    public async Task A_proxy_that_has_just_begun_shows_its_only_minute_and_all_of_its_users()
    {
        await using var test = await DashboardPages.StartAsync();
        await using var client = await test.Proxy.GreetAsync();
        await client.EchoAsync(10_000);
        await using var tab = await browser.SignedInAsync(test);
        await tab.ShowAsync("overview");
        await tab.Page.Locator(".chart .line").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
        Assert.Equal("", await tab.Page.EvaluateAsync<string>("""
            () => [...document.querySelectorAll('svg.chart')].flatMap(svg => {
              const room = svg.getBoundingClientRect();
              const isOut = box => box.left < room.left - 1 || box.right > room.right + 1;
              return [
                ...[...svg.querySelectorAll('.line')].filter(it => it.getTotalLength() === 0).map(() => 'nothing is drawn'),
                ...[...svg.querySelectorAll('text')].filter(it => isOut(it.getBoundingClientRect())).map(it => `cut: ${it.textContent}`),
              ];
            }).join()
            """));
        await tab.Page.Locator(".tile").Filter(new() { HasText = "Users" }).GetByText("5", new() { Exact = true }).WaitForAsync();
        tab.AssertQuiet();
    }

    [ToolFact(DashboardBrowser.Program)]
    public async Task What_a_page_must_not_do_would_be_noticed()
    {
        await using var test = await AdminUnderTest.StartAsync();
        await using var tab = await browser.SignedInAsync(test);
        await tab.ShowAsync("doctor");
        tab.AssertQuiet();
        var problems = new List<string>();
        await tab.Page.EvaluateAsync("document.querySelector('main').append(document.createElement('img'))");
        await JudgeAsync(tab, "doctor", problems);
        Assert.Contains("image-alt", Assert.Single(problems), StringComparison.Ordinal);
        await tab.Page.EvaluateAsync("""
            () => {
              const script = document.createElement('script');
              script.textContent = 'window.evil = 1';
              document.body.append(script);
            }
            """);
        await tab.Page.EvaluateAsync("new Promise(done => setTimeout(done))");
        Assert.False(await tab.Page.EvaluateAsync<bool>("'evil' in window"));
        Assert.ThrowsAny<Exception>(tab.AssertQuiet);
    }

    private static async Task JudgeAsync(Tab tab, string page, List<string> problems)
    {
        var found = await tab.Page.RunAxe();
        problems.AddRange(found.Violations.SelectMany(violation => violation.Nodes.Select(
            node => $"{page}: {violation.Id} ({violation.Help}) at {node.Target}: {node.Html}")));
        if (found.Passes.Length < 10)
            problems.Add($"{page}: axe looked at {found.Passes.Length} things only");
    }
}
