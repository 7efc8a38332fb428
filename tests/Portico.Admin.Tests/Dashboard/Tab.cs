using System.Collections.Concurrent;
using Microsoft.Playwright;
using Xunit;

namespace Portico.Admin.Tests.Dashboard;

/// <summary>A page that writes down whatever a browser may complain about, and what it asked of whom.</summary>
internal sealed class Tab : IAsyncDisposable
{
    // The answer to "am I signed in" is no document of an error, but a browser tells of it.
    private const string Refused = "Failed to load resource: the server responded with a status of 4";

    private readonly ConcurrentQueue<string> _complaints = [];

    private Tab(IPage page) => Page = page;

    public IPage Page { get; }

    /// <summary>Every request, in the order in which they began.</summary>
    public ConcurrentQueue<IRequest> Requests { get; } = [];

    public static async Task<Tab> OpenAsync(IBrowserContext context)
    {
        var tab = new Tab(await context.NewPageAsync());
        tab.Page.Request += (_, request) => tab.Requests.Enqueue(request);
        tab.Page.PageError += (_, error) => tab._complaints.Enqueue($"exception: {error}");
        tab.Page.Dialog += (_, dialog) =>
        {
            tab._complaints.Enqueue($"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        tab.Page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning" && !message.Text.StartsWith(Refused, StringComparison.Ordinal))
                tab._complaints.Enqueue($"{message.Type}: {message.Text}");
        };
        await context.ExposeFunctionAsync("portico_violation", (string what) => tab._complaints.Enqueue($"policy: {what}"));
        await context.AddInitScriptAsync(
            "addEventListener('securitypolicyviolation', e => portico_violation(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`))");
        return tab;
    }

    /// <summary>Shows a page of the dashboard, all of it.</summary>
    /// <param name="page">What stands behind the #.</param>
    public async Task ShowAsync(string page)
    {
        // From elsewhere, so that an address that differs behind the # alone is loaded too.
        await Page.GotoAsync("about:blank");
        await Page.GotoAsync($"/#/{page}");
        await ReadyAsync();
    }

    /// <summary>Waits until the page is there with what it shows first.</summary>
    public async Task ReadyAsync()
    {
        await Page.Locator("main:not([aria-busy]) h1").First.WaitForAsync();
        await Page.Locator(".live-live").WaitForAsync(new() { State = WaitForSelectorState.Attached });
        await Page.WaitForFunctionAsync("() => !document.querySelector('main .grid > div:empty')");
    }

    /// <summary>A button by the text on it.</summary>
    public ILocator Button(string text) =>
        Page.GetByRole(AriaRole.Button, new() { Name = text, Exact = true });

    /// <summary>Fails if the browser complained, or if anybody but the proxy was asked.</summary>
    public void AssertQuiet()
    {
        Assert.Empty(_complaints);
        var own = new Uri(Page.Url).Authority;
        Assert.DoesNotContain(Requests.Select(it => new Uri(it.Url)), it => it.Scheme is not ("data" or "about") && it.Authority != own);
    }

    public ValueTask DisposeAsync() => new(Page.Context.CloseAsync());
}
