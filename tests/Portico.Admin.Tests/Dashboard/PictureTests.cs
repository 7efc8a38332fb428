using Microsoft.Playwright;
using Portico.IntegrationTests;
using Portico.Protocol.Secrets;
using Portico.TestKit;
using Portico.TestKit.Clients;
using Xunit;

namespace Portico.Admin.Tests.Dashboard;

/// <summary>
/// The pictures of docs/dashboard.md: each page, light and dark, wide and narrow. PORTICO_PICTURES=1 takes them anew; without it they are
/// only held to be there, in the document, and as small as promised.
/// </summary>
[Collection(DashboardTests.Name)]
[Trait(Suite.Trait, Suite.Long)]
public sealed class PictureTests(DashboardBrowser browser)
{
    private const int MostBytes = 150_000;

    private static readonly string Folder = Path.Combine(RepositoryRoot.Path, "docs/dashboard");

    [ToolFact(DashboardBrowser.Program)]
    public async Task Every_page_has_a_picture_in_each_of_its_forms_which_is_small_and_in_the_document()
    {
        var document = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "docs/dashboard.md"));
        var isAnew = Environment.GetEnvironmentVariable("PORTICO_PICTURES") == "1";
        if (isAnew) Directory.CreateDirectory(Folder);
        await using var test = await DashboardPages.StartAsync();
        var secret = ProxySecret.Create(Convert.FromHexString("a1b2c3d4e5f60718293a4b5c6d7e8f90"));
        await using var client = await test.Proxy.GreetAsync(new ClientProfile { Secret = secret });
        await client.EchoAsync(1_000_000);
        foreach (var colours in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            foreach (var width in new[] { 1280, 360 })
            {
                await using var tab = await browser.SignedInAsync(test, new()
                {
                    ColorScheme = colours,
                    ViewportSize = new() { Width = width, Height = width == 360 ? 720 : 800 },
                    ReducedMotion = ReducedMotion.Reduce,
                });
                foreach (var page in DashboardPages.OfUser("alice"))
                {
                    await tab.ShowAllOfAsync(page);
                    if (page == "events")
                    {
                        var guest = await test.Proxy.GreetAsync(new ClientProfile { Secret = secret });
                        await guest.EchoAsync(1000);
                        await guest.DisposeAsync();
                        await tab.Page.Locator(".badge").GetByText("Left").WaitForAsync();
                    }

                    var picture = await tab.Page.ScreenshotAsync(new() { Animations = ScreenshotAnimations.Disabled });
                    var name = $"{page.Split('/')[0]}-{(colours == ColorScheme.Dark ? "dark" : "light")}-{width}.png";
                    var path = Path.Combine(Folder, name);
                    if (isAnew) await File.WriteAllBytesAsync(path, picture);
                    Assert.Contains($"dashboard/{name}", document, StringComparison.Ordinal);
                    Assert.InRange(picture.Length, 3_000, MostBytes);
                    Assert.InRange(new FileInfo(path).Length, 3_000, MostBytes);
                }
            }
        }
    }
}
