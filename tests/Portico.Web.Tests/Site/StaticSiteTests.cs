using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using Portico.TestKit.Wires;
using Portico.Web.Site;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Site;

/// <summary>A site out of a directory, as any web server would have it.</summary>
public sealed class StaticSiteTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("portico-site-").FullName;

    public StaticSiteTests()
    {
        Put("index.html", "<p>start</p>");
        Put("style.css", "p { color: red }");
        Put("docs/index.html", "<p>docs</p>");
        Put("docs/a file.txt", "0123456789");
        Put("data", "?");
        Put(".git/config", "secret");
        Put(".hidden", "secret");
        Put(".well-known/security.txt", "Contact: mailto:a@example.com");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("/", "<p>start</p>", "text/html")]
    [InlineData("/index.html", "<p>start</p>", "text/html")]
    [InlineData("/?x=1", "<p>start</p>", "text/html")]
    [InlineData("/style.css", "p { color: red }", "text/css")]
    [InlineData("/docs/", "<p>docs</p>", "text/html")]
    [InlineData("/docs", "<p>docs</p>", "text/html")]
    [InlineData("/docs/a%20file.txt", "0123456789", "text/plain")]
    [InlineData("/docs/../style.css", "p { color: red }", "text/css")]
    [InlineData("/data", "?", "application/octet-stream")]
    [InlineData("/.well-known/security.txt", "Contact: mailto:a@example.com", "text/plain")]
    public async Task A_file_is_served_with_its_type(string target, string body, string type)
    {
        await using var host = await StartAsync();
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            using var answer = await AskAsync(host, target, method);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(type, answer.Content.Headers.ContentType!.ToString());
            Assert.Equal(body.Length, answer.Content.Headers.ContentLength);
            Assert.Equal(method == HttpMethod.Get ? body : "", await answer.Content.ReadAsStringAsync());
            Assert.False(answer.Headers.Contains("Server"));
        }
    }

    [Theory]
    [InlineData("/.git/config")]
    [InlineData("/.hidden")]
    [InlineData("/nothing")]
    [InlineData("/Style.css")]
    [InlineData("/docs/index.html/")]
    [InlineData("/style.css/")]
    [InlineData("/../../../../../../etc/passwd")]
    [InlineData("/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/docs%2findex.html")]
    public async Task Everything_else_is_missing(string target)
    {
        await using var host = await StartAsync();
        using (var answer = await AskAsync(host, target))
        {
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal(0, answer.Content.Headers.ContentLength);
        }

        Put("404.html", "<p>not here</p>");
        await using var other = await StartAsync();
        using var worded = await AskAsync(other, target);
        Assert.Equal(HttpStatusCode.NotFound, worded.StatusCode);
        Assert.Equal("<p>not here</p>", await worded.Content.ReadAsStringAsync());
        Assert.Equal("text/html", worded.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task What_a_visitor_has_already_is_not_sent_again()
    {
        await using var host = await StartAsync();
        using var first = await AskAsync(host, "/style.css");
        var (tag, modified) = (first.Headers.ETag!, first.Content.Headers.LastModified!.Value);

        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync(host, request => request.Headers.IfNoneMatch.Add(tag)));
        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync(host, request => request.Headers.IfModifiedSince = modified));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, request => request.Headers.IfNoneMatch.Add(new("\"other\""))));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(host, request => request.Headers.IfModifiedSince = modified.AddSeconds(-1)));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusAsync(host, request => request.Headers.IfMatch.Add(new("\"other\""))));
    }

    [Fact]
    public async Task Parts_of_a_file_are_served()
    {
        await using var host = await StartAsync();
        using (var part = await AskAsync(host, "/docs/a%20file.txt", change: request => request.Headers.Range = new(2, 4)))
        {
            Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
            Assert.Equal("234", await part.Content.ReadAsStringAsync());
            Assert.Equal(new ContentRangeHeaderValue(2, 4, 10), part.Content.Headers.ContentRange);
        }

        using var none = await AskAsync(host, "/docs/a%20file.txt", change: request => request.Headers.Range = new(10, 11));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, none.StatusCode);
    }

    [Fact]
    public async Task With_other_settings_the_directory_is_read_anew_and_a_bad_one_changes_nothing()
    {
        await using var host = await StartAsync();
        Put("new.txt", "new");
        Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(host, "/new.txt")).StatusCode);

        host.Gate = host.MakeGate(host.Settings);
        await UntilAsync(async () => (await AskAsync(host, "/new.txt")).StatusCode == HttpStatusCode.OK);

        host.Gate = host.MakeGate(host.Settings with { Site = _root + "/not-there" });
        await UntilAsync(async () =>
        {
            Assert.Equal(HttpStatusCode.OK, (await AskAsync(host, "/new.txt")).StatusCode);
            return host.Logs.Lines.Any(line => line.EventName == "WebSiteKept");
        });
        Assert.Equal(LogLevel.Warning, host.Logs.Lines.Single(line => line.EventName == "WebSiteKept").Level);

        host.Gate = host.MakeGate(host.Settings with { Site = null });
        await UntilAsync(async () => (await AskAsync(host, "/new.txt")).StatusCode == HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_site_that_is_too_large_is_refused_by_name()
    {
        await using (var large = File.Create(Path.Combine(_root, "film.mp4"))) large.SetLength(SiteFiles.MostBytes);
        Put("zebra.txt", "z");

        var refused = await Assert.ThrowsAsync<InvalidDataException>(StartAsync);

        Assert.Contains("no room for /film.mp4, /index.html, /style.css, /zebra.txt", refused.Message, StringComparison.Ordinal);
        Assert.Contains("64 MiB", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Links_into_themselves_are_no_way_into_the_wood()
    {
        Directory.CreateSymbolicLink(Path.Combine(_root, "docs", "again"), _root);
        try
        {
            await using var host = await StartAsync();
            using var answer = await AskAsync(host, "/docs/again/style.css");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        catch (IOException)
        {
            // The system itself refuses a path with so many links.
        }
        finally
        {
            Directory.Delete(Path.Combine(_root, "docs", "again"));
        }
    }

    private void Put(string path, string text)
    {
        var file = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private Task<WebHostUnderTest> StartAsync() =>
        WebHostUnderTest.StartAsync(new HostSetup { Change = settings => settings with { Site = _root } });

    private static async Task<HttpResponseMessage> AskAsync(
        WebHostUnderTest host, string target, HttpMethod? method = null, Action<HttpRequestMessage>? change = null)
    {
        using var client = host.Client();
        var request = client.Request(method ?? HttpMethod.Get, target);
        change?.Invoke(request);
        return await client.SendAsync(request);
    }

    private static async Task<HttpStatusCode> StatusAsync(WebHostUnderTest host, Action<HttpRequestMessage> change)
    {
        using var answer = await AskAsync(host, "/style.css", change: change);
        return answer.StatusCode;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        while (!await condition()) await Task.Delay(5, clock.Token);
    }
}
