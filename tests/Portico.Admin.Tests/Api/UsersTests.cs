using System.Net;
using Xunit;

namespace Portico.Admin.Tests.Api;

public sealed class UsersTests
{
    private const string Alice = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

    [Fact]
    public async Task A_user_comes_with_its_links_and_goes()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        var (status, body) = await client.SendAsync(
            "POST", "/api/users", $$"""{ "name": "alice", "secret": "{{Alice}}", "group": "family" }""");
        Assert.Equal(201, status);
        Assert.Equal(("applied", 1, "alice"), ((string)body!["outcome"]!, (int)body["revision"]!, (string)body["added"]![0]!));
        Assert.Equal($"tg://alice", (string)body["users"]![0]!["links"]![0]!["tg"]!);

        (status, body) = await client.SendAsync("GET", "/api/users/alice");
        var shown = body!["users"]![0]!["status"]!;
        Assert.Equal((200, "managed", "family"), (status, (string)shown["source"]!, (string)shown["group"]!));
        Assert.DoesNotContain(Alice, body.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(200, (await client.SendAsync("DELETE", "/api/users/alice")).Status);
        Assert.Equal(404, (await client.SendAsync("GET", "/api/users/alice")).Status);
        Assert.Equal(404, (await client.SendAsync("DELETE", "/api/users/alice")).Status);
        Assert.Equal(409, (await client.SendAsync("DELETE", "/api/users/default")).Status);
    }

    [Fact]
    public async Task Users_may_be_called_as_the_export_and_the_export_is_elsewhere()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await client.SendAsync("POST", "/api/users", $$"""{ "name": "export", "secret": "{{Alice}}" }""");
        Assert.Equal("export", (string)(await client.JsonAsync("/api/users/export"))["users"]![0]!["status"]!["name"]!);
        Assert.Equal(Alice, (string)Assert.Single((await client.JsonAsync("/api/export/users"))["users"]!.AsArray())!["secret"]!);
        Assert.Equal(200, (await client.SendAsync("DELETE", "/api/users/export")).Status);
        Assert.Empty((await client.JsonAsync("/api/export/users"))["users"]!.AsArray());
    }

    [Fact]
    public async Task A_patch_leaves_what_it_does_not_name_and_null_clears()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await client.SendAsync("POST", "/api/users", """
            { "name": "alice", "maxConnections": 5, "note": "x", "rate": { "down": "2 MiB", "up": "1 MiB" },
              "quota": { "bytes": "50 GiB" } }
            """);
        var (status, body) = await client.SendAsync("PATCH", "/api/users/alice", """
            { "maxConnections": null, "rate": { "down": null }, "quota": { "period": "week" } }
            """);
        Assert.Equal(200, status);
        var user = body!["users"]![0]!;
        Assert.Equal("x", (string)user["note"]!);
        Assert.Null(user["status"]!["maxConnections"]);
        Assert.Null(user["status"]!["downRate"]);
        Assert.Equal(1 << 20, (long)user["status"]!["upRate"]!);
        Assert.Equal((50L << 30, "week"), ((long)user["status"]!["quota"]!["bytes"]!, (string)user["status"]!["quota"]!["period"]!));
        Assert.Equal(200, (await client.SendAsync("PATCH", "/api/users/alice", """{ "quota": null, "rate": null }""")).Status);
        Assert.Null((await client.JsonAsync("/api/users/alice"))["users"]![0]!["status"]!["quota"]);
        Assert.Equal("unchanged", (string)(await client.SendAsync("PATCH", "/api/users/alice", "{}")).Body!["outcome"]!);
    }

    [Theory]
    [InlineData("""{ "maxConnetions": 5 }""", 400)]
    [InlineData("""{ "maxConnections": "many" }""", 400)]
    [InlineData("""[]""", 400)]
    [InlineData("""{""", 400)]
    [InlineData("""{ "note": "a", "note": "b" }""", 400)]
    [InlineData("""{ "rate": { "down": 1024, "down": 2048 } }""", 400)]
    [InlineData("""{ "name": 5 }""", 400)]
    [InlineData("""{ "\ud800": 5 }""", 400)]
    [InlineData("""{ "maxConnections": 0 }""", 422)]
    [InlineData("""{ "adTag": "x" }""", 422)]
    [InlineData("""{ "name": "default" }""", 422)]
    [InlineData("""{ "note": "\ud800" }""", 400)]
    [InlineData("""{ "name": "\ud800" }""", 400)]
    [InlineData("""{ "quota": { "bytes": "a lot" } }""", 422)]
    public async Task What_is_wrong_with_a_patch_is_named_and_nothing_changes(string patch, int expected)
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await client.SendAsync("POST", "/api/users", """{ "name": "alice" }""");
        var (status, problem) = await client.SendAsync("PATCH", "/api/users/alice", patch);
        Assert.Equal(expected, status);
        if (expected == 422) Assert.NotEmpty(problem!["errors"]!.AsArray());
        Assert.Equal(1, (int)(await client.SendAsync("PATCH", "/api/users/alice", "{}")).Body!["revision"]!);
    }

    [Fact]
    public async Task Users_are_merged_into_those_that_are_there()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await client.SendAsync("PUT", "/api/users", SetOf(
        [
            $$"""{ "name": "alice", "secret": "{{Alice}}", "note": "first", "maxConnections": 5 }""", """{ "name": "bob" }""",
        ]));
        var (status, body) = await client.SendAsync("PATCH", "/api/users", SetOf(
        [
            """{ "name": "carol", "note": "new" }""", """{ "name": "alice", "maxConnections": null, "group": "family" }""",
        ]));
        Assert.Equal((200, "carol", "alice"), (status, (string)body!["added"]![0]!, (string)body["changed"]![0]!));
        Assert.Empty(body["removed"]!.AsArray());
        var all = (await client.JsonAsync("/api/export/users"))["users"]!.AsArray();
        Assert.Equal(["alice", "bob", "carol"], all.Select(user => (string)user!["name"]!));
        Assert.Equal((Alice, "first", "family"), ((string)all[0]!["secret"]!, (string)all[0]!["note"]!, (string)all[0]!["group"]!));
        Assert.Null(all[0]!["maxConnections"]);
        Assert.Matches("^[0-9a-f]{32}$", (string)all[2]!["secret"]!);
        Assert.Equal("unchanged", (string)(await client.SendAsync("PATCH", "/api/users", SetOf([]))).Body!["outcome"]!);
    }

    [Theory]
    [InlineData("""{ "users": [{ "name": "bob" }, { "note": "x" }] }""", 400, "users[1]")]
    [InlineData("""{ "users": [{ "name": "bob" }, null] }""", 400, "users[1]")]
    [InlineData("""{ "users": [{ "name": "bob" }, { "name": "\ud800" }] }""", 400, "users[1]")]
    [InlineData("""{ "users": [{ "name": "bob" }, { "name": "alice", "note": "\ud800" }] }""", 400, "users[1]")]
    [InlineData("""{ "users": [{ "name": "bob" }, { "name": "alice", "maxConnetions": 5 }] }""", 400, "users[1].maxConnetions")]
    [InlineData("""{ "users": [{ "name": "bob" }, { "name": "alice", "quota": { "bytes": {} } }] }""", 400, "users[1].quota.bytes")]
    [InlineData("""{ "users": [{ "name": "bob" }], "others": 1 }""", 400, "users")]
    [InlineData("""{ "users": 5 }""", 400, "users")]
    [InlineData("""{}""", 400, "users")]
    [InlineData("""{ "users": [{ "name": "bob" }, { "name": "alice", "adTag": "x" }] }""", 422, "users[1].adTag")]
    [InlineData("""{ "users": [{ "name": "bob" }, { "name": "alice" }, { "name": "alice", "note": "y" }] }""", 422, "users[2].name")]
    [InlineData("""{ "users": [{ "name": "bob" }, { "name": "default" }] }""", 422, "users[1].name")]
    public async Task What_is_wrong_with_one_that_is_merged_refuses_all(string set, int expected, string key)
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await client.SendAsync("POST", "/api/users", """{ "name": "alice" }""");
        var (status, problem) = await client.SendAsync("PATCH", "/api/users", set);
        Assert.Equal((expected, key), (status, (string)(expected == 422 ? problem!["errors"]![0]!["key"] : problem!["key"])!));
        Assert.Equal("alice", (string)Assert.Single((await client.JsonAsync("/api/export/users"))["users"]!.AsArray())!["name"]!);
    }

    [Fact]
    public async Task A_set_of_ten_thousand_is_put_and_one_bad_tag_refuses_all_of_it()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        var users = Enumerable.Range(0, 10_000).Select(i => $$"""{ "name": "user-{{i}}", "secret": "{{i + 1:x32}}" }""").ToList();
        var (status, body) = await client.SendAsync("PUT", "/api/users", SetOf(users));
        Assert.Equal((200, 10_000), (status, body!["added"]!.AsArray().Count));

        users.Reverse();
        Assert.Equal("unchanged", (string)(await client.SendAsync("PUT", "/api/users", SetOf(users))).Body!["outcome"]!);
        users.Add("""{ "name": "last", "adTag": "0" }""");
        (status, body) = await client.SendAsync("PUT", "/api/users", SetOf(users));
        Assert.Equal((422, "users[10000].adTag"), (status, (string)body!["errors"]![0]!["key"]!));
        (status, body) = await client.SendAsync("PUT", "/api/users", """{ "users": [null] }""");
        Assert.InRange(status, 400, 422);
        var report = await client.JsonAsync("/api/usage");
        Assert.Equal(10_001, report["users"]!.AsArray().Count); // and the one of the file
    }

    [Fact]
    public async Task A_change_by_somebody_else_is_noticed()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await client.SendAsync("POST", "/api/users", """{ "name": "alice" }""");
        Assert.Equal((HttpStatusCode.PreconditionFailed, "\"1\""), await PutAsync("\"0\""));
        Assert.Equal((HttpStatusCode.BadRequest, null), await PutAsync("0"));
        Assert.Equal((HttpStatusCode.OK, "\"2\""), await PutAsync("\"1\""));

        async Task<(HttpStatusCode Status, string? Tag)> PutAsync(string match)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "/api/users") { Content = new StringContent("""{ "users": [] }""") };
            request.Headers.TryAddWithoutValidation("If-Match", match);
            using var answer = await client.SendAsync(request);
            return (answer.StatusCode, answer.Headers.ETag?.Tag);
        }
    }

    [Fact]
    public async Task Usage_is_counted_reset_and_reported_to_whoever_asks_again()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await using var session = await test.Proxy.GreetAsync();
        await session.EchoAsync(1000);
        var report = await client.JsonAsync("/api/usage");
        var user = Assert.Single(report["users"]!.AsArray())!;
        Assert.Equal("default", (string)user["name"]!);
        Assert.InRange((long)user["receivedBytes"]!, 1000, 5000);
        Assert.InRange((long)user["usedBytes"]!, 2000, 10_000);

        var (status, body) = await client.SendAsync("POST", "/api/users/default/reset-usage");
        Assert.Equal(200, status);
        Assert.NotNull(body!["users"]![0]!["status"]);
        report = await client.JsonAsync($"/api/usage?since={(long)report["revision"]!}");
        Assert.Equal(0, (long)Assert.Single(report["users"]!.AsArray())!["usedBytes"]!);
        Assert.Equal(1, (int)(await client.SendAsync("POST", "/api/users/default/disconnect")).Body!["ended"]!);
        await test.Proxy.UntilClosedAsync("ended_by_operator", "operator");
        Assert.Equal(404, (await client.SendAsync("POST", "/api/users/nobody/disconnect")).Status);
    }

    [Fact]
    public async Task A_body_larger_than_a_set_may_be_is_refused_unread_and_other_operations_keep_to_little()
    {
        await using var test = await AdminUnderTest.StartAsync();
        Assert.Contains(" 413 ", await test.RawAsync(Put("/api/users", 65 * 1024 * 1024)), StringComparison.Ordinal);
        Assert.Contains(" 413 ", await test.RawAsync(Put("/api/log-level", 65 * 1024)), StringComparison.Ordinal);
        using var stranger = test.NewClient(null);
        Assert.Equal(401, (await stranger.SendAsync("PUT", "/api/users", "{}")).Status);

        static string Put(string path, int length) =>
            $"PUT {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {AdminUnderTest.Token}\r\nContent-Length: {length}\r\n\r\n";
    }

    [Fact]
    public async Task The_overview_says_in_a_word_how_it_is()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        Assert.Equal("starting", (string)(await client.JsonAsync("/api/overview"))["verdict"]!);
        await using var session = await test.Proxy.GreetAsync();
        await session.EchoAsync(100);
        var overview = await client.JsonAsync("/api/overview");
        Assert.Equal(("ok", 1), ((string)overview["verdict"]!, (int)overview["now"]!["clients"]!));
        Assert.Equal(1, (long)overview["minutes"]!.AsArray()[^1]!["connects"]!);
    }

    private static string SetOf(IEnumerable<string> users) => $$"""{ "users": [{{string.Join(",", users)}}] }""";
}
