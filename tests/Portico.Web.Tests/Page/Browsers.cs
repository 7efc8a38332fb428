using System.Net;
using Microsoft.Playwright;
using Portico.IntegrationTests.Web;
using Portico.TestKit.Covers;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Page;

/// <summary>
/// The system's Chromium, once for each version of HTTP, with nobody's cookies. The names of hosts lead it to a door of its own,
/// behind which each test puts what it wants.
/// </summary>
public sealed class Browsers : IAsyncLifetime
{
    public const string Program = "chromium-headless-shell";

    private readonly Dictionary<Way, IBrowser> _running = [];
    private readonly Door _door = new();
    private IPlaywright? _playwright;

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>One that finds a server under the name of the host.</summary>
    /// <param name="way">The version of HTTP that it speaks; always with TLS.</param>
    /// <param name="server">Where the name leads from now on.</param>
    internal async Task<IBrowser> GetAsync(Way way, EndPoint server)
    {
        _door.Server = server;
        if (_running.TryGetValue(way, out var browser)) return browser;
        _playwright ??= await Playwright.CreateAsync();
        string[] arguments =
        [
            $"--host-resolver-rules=MAP {WebHostUnderTest.Host}:443 {_door.Address},MAP {WebHostStage.Host}:443 {_door.Address}",
            "--ignore-certificate-errors", "--disable-quic",
            .. way == Way.Http2 ? Array.Empty<string>() : ["--disable-http2"],
        ];
        browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Programs.Get(Program), Args = arguments });
        _running.Add(way, browser);
        return browser;
    }

    public async Task DisposeAsync()
    {
        foreach (var browser in _running.Values) await browser.DisposeAsync();
        _playwright?.Dispose();
        await _door.DisposeAsync();
    }
}

/// <summary>Tests that share the browsers, one at a time.</summary>
[CollectionDefinition(Name)]
public sealed class BrowserTests : ICollectionFixture<Browsers>
{
    public const string Name = "Browser";
}

/// <summary>Tests that wait for what pages do about faults, beside those: they have browsers of their own.</summary>
[CollectionDefinition(Name)]
public sealed class FaultyBrowserTests : ICollectionFixture<Browsers>
{
    public const string Name = "Browser behind faults";
}
