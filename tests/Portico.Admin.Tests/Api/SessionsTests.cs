using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Portico.Admin.Json;
using Portico.Core.Control;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Xunit;

namespace Portico.Admin.Tests.Api;

public sealed class SessionsTests
{
    [Fact]
    public async Task Pages_of_two_name_every_session_once()
    {
        await using var test = await AdminUnderTest.StartAsync();
        var clients = new List<FakeClient>();
        for (var i = 0; i < 7; i++)
        {
            clients.Add(await test.Proxy.GreetAsync());
            await clients[i].EchoAsync(100);
        }

        using var client = test.Client;
        var (ids, cursor, pages) = (new List<string>(), (string?)null, 0);
        do
        {
            var page = await client.JsonAsync($"/api/sessions?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");
            var sessions = page["sessions"]!.AsArray();
            Assert.InRange(sessions.Count, 0, 2);
            Assert.All(sessions, session => Assert.Equal(
                ("test", "relaying", "default", 2),
                ((string)session!["listener"]!, (string)session["state"]!, (string)session["user"]!, (int)session["dc"]!)));
            ids.AddRange(sessions.Select(session => (string)session!["id"]!));
            cursor = (string?)page["next"];
        }
        while (cursor is not null && ++pages < 20);

        Assert.Equal(7, ids.Distinct().Count());
        Assert.Equal(7, ids.Count);
        foreach (var one in clients) await one.DisposeAsync();
    }

    [Fact]
    public async Task A_session_that_is_ended_closes_for_that_reason_and_others_go_on()
    {
        await using var test = await AdminUnderTest.StartAsync();
        await using var first = await test.Proxy.GreetAsync();
        await first.EchoAsync(100);
        using var client = test.Client;
        var id = (string)(await client.JsonAsync("/api/sessions"))["sessions"]![0]!["id"]!;
        await using var second = await test.Proxy.GreetAsync();
        await second.EchoAsync(100);

        Assert.Equal(200, (await client.SendAsync("DELETE", $"/api/sessions/{id}")).Status);
        await first.ReadToEndAsync();
        await test.Proxy.UntilClosedAsync("ended_by_operator", "operator");
        await second.EchoAsync(100);
        var (status, problem) = await client.SendAsync("DELETE", $"/api/sessions/{id}");
        Assert.Equal((404, "id"), (status, (string?)problem!["key"]));
    }

    [Theory]
    [InlineData("0-0-0")]
    [InlineData("ffffffff-0-0")]
    [InlineData("7f-ffffffff-ffffffff")]
    [InlineData("nobody")]
    [InlineData("1-2")]
    [InlineData("%00")]
    public async Task An_id_of_no_session_is_not_found(string id)
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;

        Assert.Contains((await client.SendAsync("DELETE", $"/api/sessions/{id}")).Status, (int[])[404, 400]);
    }

    [Theory]
    [InlineData("/api/sessions?limit=0", "limit")]
    [InlineData("/api/sessions?limit=251", "limit")]
    [InlineData("/api/sessions?limit=-1", "limit")]
    [InlineData("/api/sessions?cursor=what", "cursor")]
    [InlineData("/api/sessions?limits=5", "limits")]
    [InlineData("/api/users?cursor=1", "cursor")]
    [InlineData("/api/policy?address=here", "address")]
    [InlineData("/api/policy?listener=none", "listener")]
    public async Task A_wrong_parameter_is_named(string path, string key)
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        var (status, problem) = await client.SendAsync("GET", path);

        Assert.Equal((400, key), (status, (string?)problem!["key"]));
        Assert.Equal(400, (int)problem["status"]!);
    }

    [Fact]
    public async Task Users_are_told_with_connections_networks_and_bytes()
    {
        var other = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
        await using var test = await AdminUnderTest.StartAsync(settings => settings with
        {
            Listeners =
            [
                settings.Listeners[0] with { Credentials = [.. settings.Listeners[0].Credentials, new Credential("other", other)] },
            ],
        });
        await using (var gone = await test.Proxy.GreetAsync(new ClientProfile { Secret = other })) await gone.EchoAsync(5000);
        await test.Proxy.UntilEmptyAsync();
        await using var here = await test.Proxy.GreetAsync();
        await here.EchoAsync(1000);
        await using var too = await test.Proxy.GreetAsync();
        await too.EchoAsync(1000);

        using var client = test.Client;
        var users = (await client.JsonAsync("/api/users"))["users"]!.AsArray();
        Assert.Equal(["default", "other"], users.Select(user => (string)user!["name"]!));
        Assert.Equal([2, 0], users.Select(user => (int)user!["connections"]!));
        Assert.Equal([1, 0], users.Select(user => (int)user!["networks"]!));
        Assert.All(users, user => Assert.InRange((long)user!["receivedBytes"]!, 2000, 20_000));
        Assert.All(users, user => Assert.NotNull(user!["lastSeen"]));

        var first = await client.JsonAsync("/api/users?limit=1");
        var second = await client.JsonAsync($"/api/users?limit=1&cursor={first["next"]}");
        Assert.Equal("other", (string)second["users"]![0]!["name"]!);
        Assert.Null(second["next"]);
    }

    [Fact]
    public void The_largest_page_of_sessions_has_less_than_200_KB()
    {
        var longest = new string('n', 64);
        var session = new SessionStatus(
            "ff-ffffffff-7fffffff", longest, "handshake", longest, "intermediate", -32768, DateTimeOffset.MaxValue,
            new IPEndPoint(IPAddress.Parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295"), 65535).ToString(), long.MaxValue,
            long.MaxValue);
        var user = new UserStatus(
            longest, longest, "managed", "disabled", int.MaxValue, int.MaxValue, long.MaxValue, long.MaxValue, DateTimeOffset.MaxValue,
            longest, DateTimeOffset.MaxValue, int.MaxValue, int.MaxValue, long.MaxValue, long.MaxValue,
            new QuotaStatus(long.MaxValue, long.MaxValue, "month", 31, DateOnly.MaxValue, DateOnly.MaxValue));

        var sessions = JsonSerializer.SerializeToUtf8Bytes(
            new SessionPage([.. Enumerable.Repeat(session, ProxyControl.MostOnPage)], "ff-ffffffff"), AdminJson.Default.SessionPage);
        var users = JsonSerializer.SerializeToUtf8Bytes(
            new UserPage([.. Enumerable.Repeat(user, ProxyControl.MostOnPage)], "ff-ffffffff"), AdminJson.Default.UserPage);

        Assert.InRange(sessions.Length, 100_000, 200_000);
        Assert.InRange(users.Length, 50_000, 200_000);
    }

    [Fact]
    public async Task Many_connections_are_listed_whole_while_a_client_is_served()
    {
        const int Silent = 1500; // of what descriptors allow here: two of each connection are this process's
        await using var test = await AdminUnderTest.StartAsync(settings => settings with
        {
            Limits = settings.Limits with { UnauthenticatedPerAddress = 100_000 },
        });
        await using var client = await test.Proxy.GreetAsync();
        var silent = new List<FakeClient>();
        for (var i = 0; i < Silent; i++) silent.Add(await test.Proxy.ConnectAsync());
        await test.Proxy.Metrics.UntilAsync("portico_connections_accepted_total", Silent + 1);

        using var caller = test.Client;
        var (ids, cursor) = (new HashSet<string>(), (string?)null);
        do
        {
            using var answer = await caller.GetAsync($"/api/sessions?limit=250{(cursor is null ? "" : $"&cursor={cursor}")}");
            var body = await answer.Content.ReadAsByteArrayAsync();
            Assert.InRange(body.Length, 1, 200_000);
            var page = JsonSerializer.Deserialize(body, AdminJson.Default.SessionPage)!;
            foreach (var session in page.Sessions) Assert.True(ids.Add(session.Id), "a session came twice");
            cursor = page.Next;
            await client.EchoAsync(100);
        }
        while (cursor is not null);

        Assert.Equal(Silent + 1, ids.Count);
        foreach (var one in silent) await one.DisposeAsync();
    }
}
