using Portico.Core.Options;
using Portico.TestKit.Clients;
using Xunit;

namespace Portico.Admin.Tests.Api;

public sealed class PolicyTests
{
    private static ProxySettings WithRules(ProxySettings settings) => settings with
    {
        Policy = new PolicySettings
        {
            Rules =
            [
                new PolicyRule(PolicyRuleKind.NotInTable, [PolicyKey.ClientV4()], "banned"),
                new PolicyRule(PolicyRuleKind.MaxConnections, [PolicyKey.PortName, PolicyKey.ClientV4()], Limit: 1),
            ],
            Tables = [new PolicyTable("banned", PolicyKey.ClientV4(), ["203.0.113.7"])],
        },
    };

    [Fact]
    public async Task The_report_tells_rule_tuple_current_limit_and_refused()
    {
        await using var test = await AdminUnderTest.StartAsync(WithRules);
        await using var first = await test.Proxy.GreetAsync(new ClientProfile { Mode = ClientMode.Secure });
        await first.EchoAsync(100);
        await using var second = await test.Proxy.ConnectAsync(new ClientProfile { Mode = ClientMode.Secure });
        await second.SendHeaderAsync();
        await test.Proxy.Metrics.UntilAsync("portico_policy_refused_total", 1);

        using var client = test.Client;
        var rule = (await client.JsonAsync("/api/policy"))["rules"]![1]!;
        Assert.Equal(("maxConnections", 1, 1L), ((string)rule["rule"]!, (int)rule["limit"]!, (long)rule["refused"]!));
        Assert.Equal(["test", "127.0.0.1"], rule["largest"]![0]!["values"]!.AsArray().Select(value => (string)value!));
        Assert.Equal(1, (int)rule["largest"]![0]!["current"]!);
    }

    [Theory]
    [InlineData("address=203.0.113.7", false, 0)]
    [InlineData("address=203.0.113.8", true, null)]
    [InlineData("address=::ffff:203.0.113.7", false, 0)]
    [InlineData("address=2001:db8::1", true, null)]
    [InlineData("address=127.0.0.1", false, 1)]
    [InlineData("domain=a.example.com", true, null)]
    public async Task Why_a_client_would_be_refused_is_answered_and_counts_nothing(string query, bool allowed, int? by)
    {
        await using var test = await AdminUnderTest.StartAsync(WithRules);
        await using var first = await test.Proxy.GreetAsync();
        await first.EchoAsync(100);
        using var client = test.Client;
        var report = await client.JsonAsync($"/api/policy?listener=test&{query}");

        Assert.Equal(allowed, (bool)report["answer"]!["allowed"]!);
        Assert.Equal(by, (int?)report["answer"]!["refusedBy"]);
        Assert.Equal(0, (long)report["rules"]![0]!["refused"]! + (long)report["rules"]![1]!["refused"]!);
        Assert.Equal(1, (int)report["rules"]![1]!["tuples"]!);
    }

    [Fact]
    public async Task A_value_that_is_put_into_a_table_keeps_clients_out_until_it_is_taken_out()
    {
        await using var test = await AdminUnderTest.StartAsync(settings => WithRules(settings) with
        {
            Policy = WithRules(settings).Policy with { Rules = [WithRules(settings).Policy.Rules[0]] },
        });
        using var client = test.Client;

        var (status, edit) = await client.SendAsync("POST", "/api/tables/banned", """{"value":"127.0.0.1"}""");
        Assert.Equal((200, 1, 2), (status, (int)edit!["changed"]!, (int)edit["size"]!));
        Assert.Equal(0, (int)(await client.SendAsync("POST", "/api/tables/banned", """{"value":"127.0.0.1"}""")).Body!["changed"]!);
        Assert.Equal(400, (await client.SendAsync("POST", "/api/tables/banned", """{"values":[null]}""")).Status);
        await using (var refused = await test.Proxy.ConnectAsync())
        {
            await refused.SendHelloAsync();
            await test.Proxy.Metrics.UntilAsync("portico_policy_refused_total", 1);
        }

        Assert.Equal(200, (await client.SendAsync("DELETE", "/api/tables/banned", """{"values":["127.0.0.1"]}""")).Status);
        await using var welcome = await test.Proxy.GreetAsync();
        await welcome.EchoAsync(100);
    }

    [Fact]
    public async Task A_table_is_read_by_pages_and_emptied_without_a_body()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await client.SendAsync("POST", "/api/tables/guests", """{"key":"tls_domain","values":["c.example","a.example","b.example"]}""");

        var first = await client.JsonAsync("/api/tables/guests?limit=2");
        var second = await client.JsonAsync($"/api/tables/guests?limit=2&cursor={first["next"]}");
        Assert.Equal(["a.example", "b.example"], first["values"]!.AsArray().Select(value => (string)value!));
        Assert.Equal(["c.example"], second["values"]!.AsArray().Select(value => (string)value!));
        Assert.Null(second["next"]);

        Assert.Equal(3, (int)(await client.SendAsync("DELETE", "/api/tables/guests")).Body!["changed"]!);
        Assert.Equal(0, (int)(await client.JsonAsync("/api/tables/guests"))["table"]!["size"]!);
    }

    [Theory]
    [InlineData("POST", "/api/tables/new", """{"value":"a.example.com"}""", 422, "value")] // no rule says what it holds
    [InlineData("POST", "/api/tables/new", """{"key":"colour","value":"red"}""", 422, "key")]
    [InlineData("POST", "/api/tables/banned", """{"value":"not an address"}""", 422, "value")]
    [InlineData("POST", "/api/tables/banned", """{"key":"tls_domain","value":"a.example.com"}""", 422, "key")]
    [InlineData("POST", "/api/tables/banned", """{}""", 400, "value")]
    [InlineData("POST", "/api/tables/banned", "", 400, "value")]
    [InlineData("POST", "/api/tables/banned", "[1]", 400, null)]
    [InlineData("POST", "/api/tables/banned", """{"valeu":"127.0.0.1"}""", 400, "valeu")]
    [InlineData("POST", "/api/tables/banned", """{"value":7}""", 400, "value")]
    [InlineData("POST", "/api/tables/a%20b", """{"key":"tls_domain","value":"a.example.com"}""", 422, "key")]
    [InlineData("DELETE", "/api/tables/none", null, 404, "table")]
    [InlineData("DELETE", "/api/tables/banned", """{}""", 400, "value")] // a body that names nothing must not empty it
    [InlineData("GET", "/api/tables/none", null, 404, "table")]
    [InlineData("GET", "/api/tables/banned?cursor=x", null, 400, "cursor")]
    public async Task What_is_wrong_with_a_change_is_named_and_nothing_is_changed(
        string method, string path, string? body, int status, string? key)
    {
        await using var test = await AdminUnderTest.StartAsync(WithRules);
        using var client = test.Client;
        var (answered, problem) = await client.SendAsync(method, path, body);

        Assert.Equal((status, key), (answered, (string?)problem!["key"]));
        var tables = (await client.JsonAsync("/api/policy"))["tables"]!.AsArray();
        Assert.Equal(("banned", 1), ((string)tables.Single()!["name"]!, (int)tables.Single()!["size"]!));
    }
}
