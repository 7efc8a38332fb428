using System.Text.Json.Nodes;
using Portico.TestKit;
using Xunit;

namespace Portico.Admin.Tests.OpenApi;

/// <summary>What the OpenAPI document promises holds: each row is an operation of it.</summary>
public sealed class ContractTests
{
    private static readonly JsonNode Document = JsonNode.Parse(AdminServer.OpenApi())!;

    /// <summary>Bodies for those operations that need one.</summary>
    private static readonly Dictionary<string, string> Bodies = new()
    {
        ["addToTable"] = """{"key":"tls_domain","value":"b.example.com"}""",
        ["setLogLevel"] = """{"level":"debug"}""",
        ["replaceUsers"] = """{"users":[{"name":"bob"}]}""",
        ["mergeUsers"] = """{"users":[{"name":"alice","note":"x"},{"name":"bob"}]}""",
        ["addUser"] = """{"name":"bob"}""",
        ["changeUser"] = """{"note":"x"}""",
        ["rotateUser"] = """{"graceSeconds":60}""",
        ["beginBrowserSession"] = $$"""{"token":"{{AdminUnderTest.Token}}"}""",
    };

    public static TheoryData<string, string> Operations
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var (path, methods) in Document["paths"]!.AsObject())
            {
                foreach (var (method, _) in methods!.AsObject()) rows.Add(method.ToUpperInvariant(), path);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task An_operation_answers_with_the_shape_that_it_promises(string method, string path)
    {
        await using var test = await AdminUnderTest.StartAsync();
        await using var session = await test.Proxy.GreetAsync();
        await session.EchoAsync(100);
        using var client = test.Client;
        await client.SendAsync("POST", "/api/tables/guests", """{"key":"tls_domain","value":"a.example.com"}""");
        await client.SendAsync("POST", "/api/users", """{"name":"alice","quota":{"bytes":"1 GiB"}}""");
        var id = (string)(await client.JsonAsync("/api/sessions"))["sessions"]![0]!["id"]!;
        var operation = Document["paths"]![path]![method.ToLowerInvariant()]!;
        var (type, content) = operation["responses"]!["200"]!["content"]!.AsObject().Single();
        var url = path.Replace("{id}", id, StringComparison.Ordinal).Replace("{table}", "guests", StringComparison.Ordinal)
            .Replace("{name}", "alice", StringComparison.Ordinal);
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        if (Bodies.TryGetValue((string)operation["operationId"]!, out var body))
            request.Content = new StringContent(body);
        request.Headers.Add("X-Portico", "1");
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
        Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
        if (type != "application/json") return;
        var problems = new List<string>();
        Shape.Check(content!["schema"]!, JsonNode.Parse(await answer.Content.ReadAsStringAsync()), "$", Document, problems);
        Assert.Equal([], problems);
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task Without_a_token_an_operation_answers_401_unless_it_says_that_it_needs_none(string method, string path)
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.NewClient(null);
        var needsNone = Document["paths"]![path]![method.ToLowerInvariant()]!["security"]?.AsArray().Any(way => way!.AsObject().Count == 0);
        var url = path.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);
        var (status, problem) = await client.SendAsync(method, url);

        // Who begins a browser's session shows the token there, and by our own pages.
        var isLogin = (method, path) == ("POST", "/api/session");
        Assert.Equal(isLogin ? 403 : needsNone == true ? 200 : 401, status);
        Assert.Equal(needsNone == true, path is "/healthz" or "/readyz" or "/metrics" || isLogin);
        if (needsNone == true) return;
        var problems = new List<string>();
        Shape.Check(Document["components"]!["schemas"]!["ProblemDocument"]!, problem, "$", Document, problems);
        Assert.Equal([], problems);
    }

    [Fact]
    public void Every_path_of_the_contract_is_there() => Assert.Equal(
        [
            "/api/config", "/api/doctor", "/api/events", "/api/export/users", "/api/history", "/api/log-level", "/api/overview",
            "/api/policy", "/api/reload", "/api/session", "/api/sessions", "/api/sessions/{id}", "/api/status", "/api/tables/{table}",
            "/api/telegram/refresh", "/api/upgrade", "/api/usage", "/api/users", "/api/users/{name}", "/api/users/{name}/disconnect",
            "/api/users/{name}/reset-usage", "/api/users/{name}/rotate", "/healthz", "/metrics", "/openapi/v1.json", "/readyz",
        ],
        Document["paths"]!.AsObject().Select(path => path.Key).Order(StringComparer.Ordinal));

    [Fact]
    public async Task The_document_that_is_served_is_the_one_in_the_documentation()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;

        Assert.Equal("3.1.0", (string)Document["openapi"]!);
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "docs/openapi.json")),
            await client.GetStringAsync("/openapi/v1.json"));
    }
}
