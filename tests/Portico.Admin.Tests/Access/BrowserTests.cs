using System.Net;
using System.Text;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.Admin.Tests.Access;

/// <summary>Browsers that showed the token once.</summary>
public sealed class BrowserTests
{
    private static readonly string Right = $$"""{ "token": "{{AdminUnderTest.Token}}" }""";

    [Fact]
    public async Task A_browser_that_showed_the_token_comes_in_by_its_cookie_which_no_script_and_no_other_site_has()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.NewClientWithoutCookies();
        var cookie = await LogInAsync(client, Right);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("path=/", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(client, HttpMethod.Get, "/api/status", cookie: null));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(client, HttpMethod.Get, "/api/status", cookie));
        var guess = "portico_session=" + new string('0', 64);
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(client, HttpMethod.Get, "/api/status", guess));
    }

    [Fact]
    public async Task What_changes_something_needs_the_header_of_our_own_pages()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.NewClientWithoutCookies();
        var cookie = await LogInAsync(client, Right);
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(client, HttpMethod.Post, "/api/reload", cookie));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(client, HttpMethod.Post, "/api/reload", cookie, isOurPage: true));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(client, HttpMethod.Delete, "/api/session", cookie, isOurPage: true));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(client, HttpMethod.Get, "/api/status", cookie));
    }

    [Fact]
    public async Task A_cookie_ends_when_nobody_used_it_for_twelve_hours()
    {
        var time = new ManualTime();
        await using var test = await AdminUnderTest.StartAsync(time: time);
        using var client = test.NewClientWithoutCookies();
        var cookie = await LogInAsync(client, Right);
        for (var i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromHours(11));
            Assert.Equal(HttpStatusCode.OK, await AskAsync(client, HttpMethod.Get, "/api/session", cookie));
        }

        time.Advance(TimeSpan.FromHours(12));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(client, HttpMethod.Get, "/api/session", cookie));
    }

    [Fact]
    public async Task Ten_wrong_tokens_of_an_address_have_to_wait_and_the_right_one_does_not()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.NewClientWithoutCookies();
        for (var i = 0; i < 10; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(client, """{ "token": "wrong" }""")).StatusCode);
        using var answer = await PostAsync(client, """{ "token": "wrong" }""");
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.NotEmpty(await LogInAsync(client, Right));
    }

    [Fact]
    public async Task Without_a_configured_token_no_browser_comes_in()
    {
        await using var test = await AdminUnderTest.StartAsync(admin: admin => admin with { Token = null });
        using var client = test.NewClientWithoutCookies();
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(client, Right)).StatusCode);
    }

    private static async Task<string> LogInAsync(HttpClient client, string body)
    {
        using var answer = await PostAsync(client, body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return Assert.Single(answer.Headers.GetValues("Set-Cookie"));
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/session");
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        request.Headers.Add("X-Portico", "1");
        return await client.SendAsync(request);
    }

    private static async Task<HttpStatusCode> AskAsync(
        HttpClient client, HttpMethod method, string path, string? cookie, bool isOurPage = false)
    {
        using var request = new HttpRequestMessage(method, path);
        if (cookie is not null) request.Headers.Add("Cookie", cookie.Split(';')[0]);
        if (isOurPage) request.Headers.Add("X-Portico", "1");
        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }
}
