using System.Net;
using System.Net.Http.Headers;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Carriers;

/// <summary>How sessions begin and end.</summary>
public sealed class SessionTests
{
    public static TheoryData<Way> All => Ways.All;

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_body_that_is_not_HELLO_is_refused_and_uses_nothing_up(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.OpenPageAsync();
        var hello = WebFrame.Hello.ToArray();

        foreach (var body in new[] { [], hello[..^1], [.. hello, 0], [.. hello[..^1], 2], new byte[64], new byte[65], new byte[1000] })
        {
            using var refused = await client.TryCreateAsync(body);
            PagelessClient.Expect(refused, HttpStatusCode.NotFound);
        }

        Assert.Equal(0, host.Sessions.Count);
        await client.CreateAsync();
        using var other = await client.TryCreateAsync([.. hello, 0]);
        PagelessClient.Expect(other, HttpStatusCode.NotFound);
        Assert.Equal(1, host.Sessions.Count);
    }

    [Theory]
    [InlineData("application/octet-stream; charset=utf-8")]
    [InlineData("application/Octet-Stream")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task Only_one_type_of_body_is_taken(string? type)
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.OpenPageAsync();
        var content = new ByteArrayContent(WebFrame.Hello.ToArray());
        if (type is not null) content.Headers.TryAddWithoutValidation("Content-Type", type);

        using var refused = await client.SendAsync(client.Request(HttpMethod.Post, "/api/v1/session", client.Bootstrap, content));

        PagelessClient.Expect(refused, HttpStatusCode.NotFound);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_session_is_deleted_once_and_again(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        var asked = client.AskAsync(0);

        for (var i = 0; i < 2; i++)
        {
            using var deleted = await client.DeleteAsync();
            PagelessClient.Expect(deleted, HttpStatusCode.NoContent);
        }

        using var refused = await asked;
        PagelessClient.Expect(refused, HttpStatusCode.NotFound);
        Assert.Equal(0, host.Sessions.Count);
        using var again = await client.TryCreateAsync();
        PagelessClient.Expect(again, HttpStatusCode.NotFound);
        using var next = await client.PostAsync(1, AppFrame.Open(1));
        PagelessClient.Expect(next, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_deletion_with_a_body_or_a_type_deletes_nothing()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        var empty = new ByteArrayContent([]) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };

        foreach (var content in new[] { empty, new ByteArrayContent([1]) })
        {
            using var refused = await client.SendAsync(client.Request(HttpMethod.Delete, "/api/v1/session", client.SessionToken, content));
            PagelessClient.Expect(refused, HttpStatusCode.NotFound);
        }

        Assert.Equal(1, host.Sessions.Count);
    }

    [Fact]
    public async Task Over_the_limit_an_app_is_asked_to_come_again()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Limits = new WebLimits { Sessions = 1 } });
        using var first = host.Client();
        using var second = host.Client();
        await first.EnterAsync();
        await second.OpenPageAsync();

        using (var again = await second.TryCreateAsync())
        {
            PagelessClient.Expect(again, HttpStatusCode.ServiceUnavailable);
            Assert.Equal("1", PagelessClient.Header(again, "Retry-After"));
        }

        using (await first.DeleteAsync()) await second.CreateAsync();
    }

    [Fact]
    public async Task A_user_who_asks_for_pages_without_end_sees_the_site()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        var pages = 0;
        while (true)
        {
            using var answer = await client.SendAsync(client.Request(HttpMethod.Get, $"/?bridge={WebHostUnderTest.Capability}"));
            if (answer.StatusCode == HttpStatusCode.NotFound)
            {
                Assert.Null(answer.Headers.CacheControl);
                break;
            }

            Assert.True(++pages < 1000);
        }

        Assert.True(pages >= 20);
    }

    [Fact]
    public async Task Who_is_revoked_is_out()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        var asked = client.AskAsync(0);

        await host.RevokeAsync();

        using var refused = await asked;
        PagelessClient.Expect(refused, HttpStatusCode.NotFound);
        using var again = await client.TryCreateAsync();
        PagelessClient.Expect(again, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Below_a_path_everything_is_below_it()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Path = "some/where" });
        using var client = host.Client();

        await client.EnterAsync();

        using var taken = await client.PostAsync(1, AppFrame.Open(1));
        PagelessClient.Expect(taken, HttpStatusCode.NoContent);
        using var elsewhere = await client.SendAsync(client.Request(HttpMethod.Post, "/api/v1/down", client.SessionToken));
        Assert.Null(elsewhere.Headers.CacheControl);
    }
}
