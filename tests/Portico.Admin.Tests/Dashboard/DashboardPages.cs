using System.Collections.Immutable;

namespace Portico.Admin.Tests.Dashboard;

/// <summary>All pages by what stands behind the #, and a proxy that has something to show on each.</summary>
internal static class DashboardPages
{
    public static ImmutableArray<string> OfUser(string name) =>
        ["overview", "users", $"user/{name}", "sessions", "settings", "doctor", "events"];

    /// <summary>What the doctor says: one finding of each kind.</summary>
    public const string Findings =
        """
        { "ok": 1, "warn": 1, "fail": 1, "findings": [
          { "check": "clock", "verdict": "ok", "finding": "clock_right", "text": "The clock is right to 12 ms.", "cure": null },
          { "check": "limits", "verdict": "warn", "finding": "few_descriptors", "text": "This process may open 1024 descriptors.",
            "cure": "Raise LimitNOFILE in the service." },
          { "check": "cover", "verdict": "fail", "finding": "cover_down", "text": "www.example.org:443 does not answer.",
            "cure": "Choose another cover." },
          { "check": "telegram", "verdict": "skip", "finding": "not_asked", "text": "Telegram was not asked.", "cure": null } ] }
        """;

    /// <summary>Users of every state, with notes and quotas, and one in use.</summary>
    public static async Task<AdminUnderTest> StartAsync()
    {
        var test = await AdminUnderTest.StartAsync();
        test.Links = test.RealLinks;
        test.Findings = Findings;
        using var client = test.Client;
        await client.SendAsync("PUT", "/api/users",
            """
            { "users": [
              { "name": "alice", "secret": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "group": "family", "note": "Two phones and a tablet.",
                "quota": { "bytes": "50 GiB", "period": "month" }, "maxConnections": 32, "rate": { "down": "2 MiB" } },
              { "name": "bob", "secret": "a1b2c3d4e5f60718293a4b5c6d7e8f91", "group": "family", "enabled": false },
              { "name": "carol", "secret": "a1b2c3d4e5f60718293a4b5c6d7e8f92", "group": "office", "expiresAt": "2020-01-01T00:00:00Z" },
              { "name": "dave", "secret": "a1b2c3d4e5f60718293a4b5c6d7e8f93", "group": "office",
                "quota": { "bytes": "1 TiB", "period": "none" } } ] }
            """);
        await client.SendAsync("POST", "/api/tables/guests", """{"key":"tls_domain","value":"a.example.com"}""");
        return test;
    }

    /// <summary>Shows a page with everything open that can be opened.</summary>
    public static async Task ShowAllOfAsync(this Tab tab, string page)
    {
        await tab.ShowAsync(page);
        if (page == "doctor")
        {
            await tab.Page.Locator("main .page-head button").ClickAsync();
            await tab.Page.Locator(".finding").First.WaitForAsync();
        }

        if (page == "users") await tab.Page.Locator("tr[data-key]").First.WaitForAsync();
        if (page == "settings")
        {
            foreach (var summary in await tab.Page.Locator("main details > summary").AllAsync()) await summary.ClickAsync();
        }
    }
}
