using Microsoft.Playwright;
using Portico.IntegrationTests;
using Xunit;

namespace Portico.Admin.Tests.Dashboard;

/// <summary>Who comes in, and how one leaves.</summary>
[Collection(DashboardTests.Name)]
[Trait(Suite.Trait, Suite.Long)]
public sealed class SigningInTests(DashboardBrowser browser)
{
    [ToolFact(DashboardBrowser.Program)]
    public async Task The_token_opens_the_pages_and_signing_out_closes_them_at_the_proxy_too()
    {
        await using var test = await AdminUnderTest.StartAsync();
        await using var tab = await browser.OpenAsync(test);
        await tab.Page.GotoAsync("/");
        await tab.Page.GetByLabel("Token").FillAsync(AdminUnderTest.Token);
        await tab.Button("Sign in").ClickAsync();
        await tab.ReadyAsync();
        Assert.Equal("Overview", await tab.Page.Locator("h1").TextContentAsync());
        var cookie = Assert.Single(await tab.Page.Context.CookiesAsync());
        Assert.Equal("", await tab.Page.EvaluateAsync<string>("document.cookie"));
        Assert.DoesNotContain(AdminUnderTest.Token, await tab.Page.EvaluateAsync<string>(
            "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML])"), StringComparison.Ordinal);

        await tab.Button("Sign out").ClickAsync();
        await tab.Button("Sign in").WaitForAsync();
        using var client = test.NewClientWithoutCookies();
        client.DefaultRequestHeaders.Add("Cookie", $"{cookie.Name}={cookie.Value}");
        Assert.Equal(401, (await client.SendAsync("GET", "/api/status")).Status);
        tab.AssertQuiet();
    }

    [ToolFact(DashboardBrowser.Program)]
    public async Task After_ten_wrong_tokens_the_page_says_that_one_has_to_wait()
    {
        await using var test = await AdminUnderTest.StartAsync();
        await using var tab = await browser.OpenAsync(test);
        await tab.Page.GotoAsync("/");
        for (var i = 1; i <= 11; i++)
        {
            await tab.Page.GetByLabel("Token").FillAsync($"no-token-at-all-{i}");
            var answer = await tab.Page.RunAndWaitForResponseAsync(
                () => tab.Button("Sign in").ClickAsync(), it => it.Url.EndsWith("/api/session", StringComparison.Ordinal));
            Assert.Equal(i <= 10 ? 401 : 429, answer.Status);
            var words = i <= 10 ? "This is not the token." : "Too many wrong tokens. Wait a minute.";
            await tab.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = words }).WaitForAsync();
        }

        // Whoever has the right one is not kept out by others.
        await tab.Page.GetByLabel("Token").FillAsync(AdminUnderTest.Token);
        await tab.Button("Sign in").ClickAsync();
        await tab.ReadyAsync();
        tab.AssertQuiet();
    }

    [ToolFact(DashboardBrowser.Program)]
    public async Task Without_scripts_there_is_a_form_and_then_the_state_as_a_table()
    {
        await using var test = await AdminUnderTest.StartAsync();
        await using var session = await test.Proxy.GreetAsync();
        await session.EchoAsync(100);
        await using var tab = await browser.OpenAsync(test, new() { JavaScriptEnabled = false });
        await tab.Page.GotoAsync("/");
        Assert.Equal(0, await tab.Page.Locator("table").CountAsync());
        await tab.Page.Locator("input[name=token]").FillAsync(AdminUnderTest.Token);
        await tab.Page.Locator("form button").ClickAsync();
        var rows = tab.Page.GetByRole(AriaRole.Row);
        await rows.Filter(new() { HasText = "Clients" }).GetByRole(AriaRole.Cell, new() { Name = "1", Exact = true }).WaitForAsync();
        await rows.Filter(new() { HasText = "Version" }).GetByRole(AriaRole.Cell, new() { Name = "1.2.3" }).WaitForAsync();
        tab.AssertQuiet();
    }
}
