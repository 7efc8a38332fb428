using Microsoft.Playwright;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.Admin.Tests.Dashboard;

/// <summary>The system's Chromium, once for all tests of the dashboard; each tab has cookies of its own.</summary>
public sealed class DashboardBrowser : IAsyncLifetime
{
    public const string Program = "chromium-headless-shell";

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>A tab of somebody who is signed in.</summary>
    internal async Task<Tab> SignedInAsync(AdminUnderTest test, BrowserNewContextOptions? options = null)
    {
        var tab = await OpenAsync(test, options);
        var answer = await tab.Page.Context.APIRequest.PostAsync("/api/session", new()
        {
            Headers = new Dictionary<string, string> { ["X-Portico"] = "1" },
            DataObject = new { token = AdminUnderTest.Token },
        });
        Assert.True(answer.Ok, answer.StatusText);
        return tab;
    }

    /// <summary>A tab of somebody nobody knows.</summary>
    internal async Task<Tab> OpenAsync(AdminUnderTest test, BrowserNewContextOptions? options = null)
    {
        _playwright ??= await Playwright.CreateAsync();
        _browser ??= await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Programs.Get(Program) });
        options ??= new();
        options.BaseURL = $"http://{test.Server.Address}";
        options.Locale ??= "en-GB";
        options.TimezoneId = "UTC";
        return await Tab.OpenAsync(await _browser.NewContextAsync(options));
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}

/// <summary>Tests that share the browser, one at a time.</summary>
[CollectionDefinition(Name)]
public sealed class DashboardTests : ICollectionFixture<DashboardBrowser>
{
    public const string Name = "Dashboard";
}
