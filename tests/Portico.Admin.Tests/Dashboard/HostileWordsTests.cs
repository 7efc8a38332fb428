using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Portico.IntegrationTests;
using Xunit;

namespace Portico.Admin.Tests.Dashboard;

/// <summary>Words of strangers and of users stay words.</summary>
[Collection(DashboardTests.Name)]
[Trait(Suite.Trait, Suite.Long)]
public sealed class HostileWordsTests(DashboardBrowser browser)
{
    private const string Evil =
        "\"'></td><img src=/evil onerror=window.evil=1><script>window.evil=2</script><svg onload=window.evil=3>\u202e${evil}{{evil}}";

    // What a page decides by, rather than shows; such a word that it does not know has tests of its own.
    private static readonly HashSet<string> Decided =
        ["at", "since", "until", "start", "source", "state", "lastSeen", "expiresAt", "period", "epoch", "next", "tg", "tMe"];

    [ToolFact(DashboardBrowser.Program)]
    public async Task Notes_and_groups_that_are_markup_are_shown_as_they_were_written()
    {
        await using var test = await DashboardPages.StartAsync();
        using var client = test.Client;
        const string Group = "\"'></td><script>window.evil=2</script><img src=/evil>";
        var patch = new JsonObject { ["group"] = Group, ["note"] = Evil }.ToJsonString();
        Assert.Equal(200, (await client.SendAsync("PATCH", "/api/users/alice", patch)).Status);
        await using var tab = await browser.SignedInAsync(test);
        foreach (var page in DashboardPages.OfUser("alice"))
        {
            await tab.ShowAllOfAsync(page);
            if (page is "users" or "user/alice") await tab.Page.GetByText("<script>window.evil=2</script>").Last.WaitForAsync(
                new() { State = WaitForSelectorState.Attached });
            if (page == "user/alice")
            {
                await tab.Button("Edit").ClickAsync();
                Assert.Equal(Evil, await tab.Page.GetByRole(AriaRole.Dialog).GetByLabel("Note").InputValueAsync());
            }

            await AssertInertAsync(tab);
        }

        tab.AssertQuiet();
    }

    [ToolFact(DashboardBrowser.Program)]
    public async Task Whatever_the_interface_may_answer_no_page_takes_it_for_markup()
    {
        await using var test = await DashboardPages.StartAsync();
        await using var session = await test.Proxy.GreetAsync();
        await session.EchoAsync(100);
        await using var tab = await browser.SignedInAsync(test);
        var spoilt = 0;
        await tab.Page.RouteAsync("**/api/**", async route =>
        {
            if (route.Request.Url.EndsWith("/api/events", StringComparison.Ordinal))
            {
                await route.FulfillAsync(new() { ContentType = "text/event-stream", Body = Events() });
                return;
            }

            var answer = await route.FetchAsync();
            var body = await answer.TextAsync();
            if (body.Length > 0)
            {
                var spoiltBody = JsonNode.Parse(body)!;
                spoilt += Spoil(spoiltBody);
                body = spoiltBody.ToJsonString();
            }

            await route.FulfillAsync(new() { Response = answer, Body = body });
        });
        foreach (var page in DashboardPages.OfUser("alice"))
        {
            await tab.Page.GotoAsync("about:blank");
            await tab.Page.GotoAsync($"/#/{page}");
            await tab.Page.Locator("main:not([aria-busy]) h1").First.WaitForAsync();
            if (page == "doctor") await tab.Page.Locator("main .page-head button").ClickAsync();
            if (page != "overview" || await tab.Page.Locator("main .card").CountAsync() > 0)
                await tab.Page.GetByText("window.evil=2").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
            foreach (var summary in await tab.Page.Locator("main details > summary").AllAsync())
            {
                if (await summary.IsVisibleAsync()) await summary.ClickAsync();
            }

            await AssertInertAsync(tab);
        }

        Assert.True(spoilt > 50, $"{spoilt} words only were spoilt");
        tab.AssertQuiet();
    }

    private static string Events()
    {
        var happened = new JsonObject
        {
            ["at"] = "2026-01-01T00:00:00Z",
            ["name"] = Evil,
            ["text"] = Evil,
            ["session"] = Evil,
            ["user"] = Evil,
            ["listener"] = Evil,
            ["protocol"] = Evil,
            ["reason"] = Evil,
            ["side"] = Evil,
            ["result"] = Evil,
            ["level"] = Evil,
        }.ToJsonString();
        string[] kinds = ["session_opened", "session_closed", "alarm", "notice", "reload"];
        return string.Concat(kinds.Select(kind => $"event: {kind}\ndata: {happened}\n\n"));
    }

    private static int Spoil(JsonNode node)
    {
        var count = 0;
        if (node is JsonObject members)
        {
            foreach (var (key, value) in members.ToArray())
            {
                if (value is JsonValue text && text.TryGetValue<string>(out var words))
                {
                    if (Decided.Contains(key)) continue;
                    members[key] = words + Evil;
                    count++;
                }
                else if (value is not null)
                {
                    count += Spoil(value);
                }
            }
        }
        else if (node is JsonArray items)
        {
            for (var i = 0; i < items.Count; i++)
            {
                if (items[i] is JsonValue text && text.TryGetValue<string>(out var words))
                    items[i] = words + Evil;
                else if (items[i] is { } inner)
                    count += Spoil(inner);
            }
        }

        return count;
    }

    private static async Task AssertInertAsync(Tab tab)
    {
        Assert.Equal(0, await tab.Page.Locator("img[src='/evil'], svg[onload], script:not([src])").CountAsync());
        Assert.False(await tab.Page.EvaluateAsync<bool>("'evil' in window"));
        Assert.DoesNotContain(tab.Requests, request => request.Url.Contains("/evil", StringComparison.Ordinal));
    }
}
