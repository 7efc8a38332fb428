using System.Net;
using Portico.Core.Options;
using Portico.Doctor;
using Portico.Doctor.Checks;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>The site of a WEB host, and what in it would stand in the bridge page's way.</summary>
public sealed class WebSiteTests : IDisposable
{
    private const string Registers = "if('serviceWorker'in navigator)navigator.serviceWorker.register('/sw.js')";

    private readonly TemporaryDirectory _files = new();

    public void Dispose() => _files.Dispose();

    [Theory]
    [InlineData("index.html", "<!doctype html><title>Garden notes</title>", "site-good")]
    [InlineData("index.html", "<script>" + Registers + "</script>", "site-service-worker")]
    [InlineData("index.html", "<script>navigator.serviceWorker.getRegistrations().then(r => r[0].unregister())</script>", "site-good")]
    [InlineData("index.html", "<p>register for our cash register</p>", "site-good")]
    [InlineData("about.html", "<title>About</title>", "site-empty")]
    public async Task A_static_site_is_read(string file, string text, string name)
    {
        Directory.CreateDirectory(_files.File("www"));
        _files.Write($"www/{file}", text);

        Assert.Equal(name, (await OneAsync(web => web with { Site = _files.File("www") })).Diagnosis.Name);
    }

    [Fact]
    public async Task A_worker_that_a_script_far_down_registers_is_found_with_its_file()
    {
        Directory.CreateDirectory(_files.File("www/js"));
        _files.Write("www/index.html", "<script src=\"js/app.js\"></script>");
        _files.Write("www/js/app.js", Registers);

        var finding = await OneAsync(web => web with { Site = _files.File("www") });

        Assert.Equal("site-service-worker", finding.Diagnosis.Name);
        Assert.Contains("js/app.js", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_site_and_one_that_is_not_there_are_told()
    {
        Assert.Equal("site-none", (await OneAsync(web => web)).Diagnosis.Name);
        Assert.Equal("site-unreadable", (await OneAsync(web => web with { Site = _files.File("nowhere") })).Diagnosis.Name);
    }

    [Theory]
    [InlineData("<title>Garden notes</title>", null, "site-good")]
    [InlineData("<script>" + Registers + "</script>", null, "site-service-worker")]
    [InlineData("<script defer src='/app.js?v=3'></script>", "/app.js", "site-service-worker")]
    [InlineData("<script src=https://cdn.example.net/app.js></script>", "/app.js", "site-good")]
    [InlineData("<script src=\"/gone.js\"></script>", null, "site-good")]
    public async Task A_web_server_behind_us_is_asked_for_its_page_and_scripts(string page, string? script, string name)
    {
        await using var server = FakeConfigSite.Start();
        server.Set("/", SiteReply.Text(page));
        if (script is not null) server.Set(script, SiteReply.Text(Registers));
        if (script is not null) server.Set(script + "?v=3", SiteReply.Text(Registers));

        Assert.Equal(name, (await OneAsync(web => web with { SiteUpstream = new Uri(server.SecretUrl, "/") })).Diagnosis.Name);
    }

    [Fact]
    public async Task A_web_server_that_is_down_or_sends_visitors_round_in_circles_is_told()
    {
        Uri gone;
        await using (var server = FakeConfigSite.Start())
        {
            gone = new Uri(server.SecretUrl, "/");
            server.Set("/", new SiteReply { Status = (int)HttpStatusCode.Found, Location = new Uri("https://www.example.org/") });
            Assert.Equal("site-loops", (await OneAsync(web => web with { SiteUpstream = gone })).Diagnosis.Name);
        }

        Assert.Equal("site-down", (await OneAsync(web => web with { SiteUpstream = gone })).Diagnosis.Name);
    }

    private static async Task<Finding> OneAsync(Func<WebSettings, WebSettings> change)
    {
        Assert.True(WebAddress.TryCreate("www.example.org", "", out var address, out _));
        var web = change(new WebSettings { Address = address, Carriers = [WebCarrier.Https] });
        var check = new SiteCheck(WebCertificateTests.Settings(web), new NetworkAccess(IsOffline: false));
        return Assert.Single(await check.RunAsync(CancellationToken.None));
    }
}
