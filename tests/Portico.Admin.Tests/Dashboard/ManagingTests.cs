using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Portico.IntegrationTests;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Xunit;

namespace Portico.Admin.Tests.Dashboard;

/// <summary>What an operator does on the pages, and what the proxy makes of it.</summary>
[Collection(DashboardTests.Name)]
[Trait(Suite.Trait, Suite.Long)]
public sealed class ManagingTests(DashboardBrowser browser)
{
    [ToolTheory(DashboardBrowser.Program)]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 360)]
    public async Task The_code_of_a_new_user_as_it_is_on_the_screen_leads_a_client_through_the_proxy(ColorScheme colours, int width)
    {
        await using var test = await AdminUnderTest.StartAsync();
        test.Links = test.RealLinks;
        await using var tab = await browser.SignedInAsync(
            test, new() { ColorScheme = colours, ViewportSize = new() { Width = width, Height = 900 } });
        await tab.ShowAsync("users");
        await tab.Button("Add user").ClickAsync();
        var dialog = tab.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Name", new() { Exact = true }).FillAsync("alice");
        await dialog.GetByLabel("Quota", new() { Exact = true }).FillAsync("50 GiB");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Add user" }).ClickAsync();
        var code = tab.Page.GetByRole(AriaRole.Img, new() { Name = "Code with the link of alice" });
        await code.ScrollIntoViewIfNeededAsync();

        // As a camera sees it: the whole screen, with whatever is around the code.
        var link = new PngPicture(await tab.Page.ScreenshotAsync()).ReadCode();
        Assert.NotNull(link);
        Assert.True(ProxyLink.TryParse(link, out var host, out var port, out var secret, out var problem), problem);
        Assert.Equal((test.Proxy.Endpoint.Address.ToString(), test.Proxy.Endpoint.Port), (host, port));
        await using var client = await test.Proxy.GreetAsync(new ClientProfile { Secret = secret.Secret, Domain = secret.Domain! });
        await client.EchoAsync(10_000);
        using var asked = test.Client;
        var alice = (await asked.JsonAsync("/api/users/alice"))["users"]![0]!["status"]!;
        Assert.Equal((1, 50L << 30), ((int)alice["connections"]!, (long)alice["quota"]!["bytes"]!));
        tab.AssertQuiet();
    }

    [ToolFact(DashboardBrowser.Program)]
    public async Task Users_are_chosen_and_changed_together_and_those_of_the_file_stay()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await client.SendAsync("PUT", "/api/users", SetOf(Enumerable.Range(0, 30).Select(i => $"user-{i}")));
        await using var tab = await browser.SignedInAsync(test);
        await tab.ShowAsync("users");
        await tab.Page.GetByText("31 of 31 users").WaitForAsync();

        await tab.Page.GetByLabel("Select all").CheckAsync();
        await DoAsync("Disable", "30 users changed");
        Assert.Equal(30, await CountAsync("disabled"));
        Assert.Equal(1, await CountAsync("active"));

        await tab.Page.GetByLabel("Search").FillAsync("USER-2");
        await tab.Page.GetByText("11 of 31 users").WaitForAsync();
        await tab.Page.GetByLabel("Select all").CheckAsync();
        await DoAsync("Enable", "11 users changed");
        Assert.Equal(12, await CountAsync("active"));

        await tab.Page.GetByLabel("Select user-29", new() { Exact = true }).CheckAsync();
        await DoAsync("Remove", "1 user changed");
        Assert.Equal(404, (await client.SendAsync("GET", "/api/users/user-29")).Status);
        tab.AssertQuiet();

        async Task DoAsync(string action, string done)
        {
            var bulk = tab.Page.GetByRole(AriaRole.Group, new() { Name = "Selected users" });
            await bulk.GetByText(action, new() { Exact = true }).ClickAsync();
            await tab.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = action, Exact = true }).ClickAsync();
            await tab.Page.GetByRole(AriaRole.Status).GetByText(done).WaitForAsync();
            await tab.Page.GetByRole(AriaRole.Dialog).WaitForAsync(new() { State = WaitForSelectorState.Detached });
        }

        async Task<int> CountAsync(string state) =>
            (await client.JsonAsync("/api/users?limit=250"))["users"]!.AsArray().Count(it => (string)it!["state"]! == state);
    }

    [ToolFact(DashboardBrowser.Program)]
    public async Task A_user_of_any_name_that_is_allowed_can_be_looked_at_and_removed()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        string[] names = ["all", "export", "a.b_c-d"];
        await client.SendAsync("PUT", "/api/users", SetOf(names));
        await using var tab = await browser.SignedInAsync(test);
        foreach (var name in names)
        {
            await tab.ShowAsync("users");
            await tab.Page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).ClickAsync();
            await tab.Page.GetByRole(AriaRole.Heading, new() { Name = name, Exact = true, Level = 1 }).WaitForAsync();
            await tab.Page.GetByText("managed here").WaitForAsync();
            await tab.Button("Remove").ClickAsync();
            await tab.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
            await tab.Page.GetByText($"{name} is removed").WaitForAsync();
            Assert.Equal(404, (await client.SendAsync("GET", $"/api/users/{name}")).Status);
        }

        tab.AssertQuiet();
    }

    [ToolFact(DashboardBrowser.Program)]
    public async Task Who_comes_and_goes_is_seen_without_asking_and_a_session_can_be_ended()
    {
        await using var test = await AdminUnderTest.StartAsync();
        await using var tab = await browser.SignedInAsync(test);
        await tab.ShowAsync("sessions");
        await tab.Page.GetByText("No connections.").WaitForAsync();

        // The list is asked for every 15 s; what is sooner there came with the stream.
        var client = await test.Proxy.GreetAsync();
        await client.EchoAsync(100);
        var end = tab.Page.GetByRole(AriaRole.Button, new() { Name = "End the connection of default" });
        await end.WaitForAsync(new() { Timeout = 10_000 });
        await end.ClickAsync();
        await tab.Page.GetByText("No connections.").WaitForAsync();
        await client.ReadToEndAsync();
        await client.DisposeAsync();

        await tab.Page.GetByRole(AriaRole.Link, new() { Name = "Events" }).ClickAsync();
        var rows = tab.Page.GetByRole(AriaRole.Row);
        await rows.Filter(new() { HasText = "Came in" }).Filter(new() { HasText = "default" }).WaitForAsync();
        await rows.Filter(new() { HasText = "Left" }).Filter(new() { HasText = "ended_by_operator" }).WaitForAsync();
        tab.AssertQuiet();
    }

    internal static string SetOf(IEnumerable<string> names) =>
        new JsonObject { ["users"] = new JsonArray([.. names.Select(name => new JsonObject { ["name"] = name })]) }.ToJsonString();
}
