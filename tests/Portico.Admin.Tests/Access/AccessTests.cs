using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Options;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.Admin.Tests.Access;

public sealed class AccessTests
{
    private const string Wrong = "not-the-token-of-the-tests-00000";

    [Theory]
    [InlineData(null)]
    [InlineData(Wrong)]
    [InlineData(AdminUnderTest.Token + "x")]
    [InlineData("")]
    public async Task Without_the_right_token_the_answer_is_401_and_says_how(string? token)
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.NewClient(null);
        if (token is not null)
            client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var answer = await client.GetAsync("/api/status");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
        Assert.DoesNotContain("listeners", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("127.1")]
    [InlineData("localhost.evil.example")]
    [InlineData("169.254.169.254")]
    public async Task A_foreign_host_is_refused_without_the_token_and_served_with_it(string host)
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var stranger = test.NewClient(null, host);
        using var operatorsOwn = test.NewClient(AdminUnderTest.Token, host);

        foreach (var path in (string[])["/healthz", "/readyz", "/metrics", "/api/status"])
            Assert.Equal(421, (await stranger.SendAsync("GET", path)).Status);
        Assert.Equal(200, (await operatorsOwn.SendAsync("GET", "/api/status")).Status);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST")]
    [InlineData("[::1]")]
    [InlineData("127.0.0.2")]
    [InlineData("Panel.Example.org")]
    public async Task Names_of_loopback_and_those_that_the_operator_added_are_served(string host)
    {
        await using var test = await AdminUnderTest.StartAsync(admin: admin => admin with { Hosts = ["panel.example.org"] });
        using var client = test.NewClient(null, host);

        Assert.Equal(200, (await client.SendAsync("GET", "/healthz")).Status);
        Assert.Equal(200, (await client.SendAsync("GET", "/metrics")).Status);
        Assert.Equal(401, (await client.SendAsync("GET", "/api/status")).Status);
    }

    [Fact]
    public async Task Without_a_token_in_the_configuration_there_are_health_and_metrics_only()
    {
        await using var test = await AdminUnderTest.StartAsync(admin: admin => admin with { Token = null });
        using var client = test.NewClient(AdminUnderTest.Token);
        using var socket = test.NewSocketClient();

        foreach (var path in (string[])["/healthz", "/readyz", "/metrics"])
            Assert.Equal(200, (await client.SendAsync("GET", path)).Status);
        var (status, problem) = await client.SendAsync("GET", "/api/status");
        Assert.Equal((403, "admin.token"), (status, (string?)problem!["key"]));
        Assert.Equal(200, (await socket.SendAsync("GET", "/api/status")).Status);
    }

    [Fact]
    public async Task After_ten_wrong_tokens_an_address_has_to_wait_and_is_let_in_again()
    {
        var time = new ManualTime();
        await using var test = await AdminUnderTest.StartAsync(time: time);
        using var wrong = test.NewClient(Wrong);
        using var right = test.Client;

        for (var i = 0; i < 10; i++) Assert.Equal(401, (await wrong.SendAsync("GET", "/api/status")).Status);
        Assert.Equal(429, (await wrong.SendAsync("GET", "/api/status")).Status);
        Assert.Equal(200, (await right.SendAsync("GET", "/api/status")).Status); // nobody can keep the operator out
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(200, (await right.SendAsync("GET", "/api/status")).Status);
    }

    [Fact]
    public async Task Metrics_are_not_for_those_whom_a_web_server_of_this_machine_brings()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var brought = test.NewClient(null);
        Assert.Equal(200, (await brought.SendAsync("GET", "/metrics")).Status);
        brought.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        Assert.Equal(401, (await brought.SendAsync("GET", "/metrics")).Status);
        Assert.Equal(200, (await brought.SendAsync("GET", "/healthz")).Status);
    }

    [Theory]
    [InlineData("/healthz/../api/status")]
    [InlineData("/healthz/%2e%2e/api/status")]
    [InlineData("/healthz%2f..%2fapi/status")]
    [InlineData("//api/status")]
    [InlineData("/API/Status")]
    [InlineData("/api/status/")]
    [InlineData("/api/status;/healthz")]
    [InlineData("/api/status?/healthz")]
    [InlineData("/api/sessions/..%2f..%2fhealthz")]
    [InlineData("http://localhost/api/status")]
    [InlineData("/etc/passwd")]
    [InlineData("/metrics/../api/config")]
    public async Task A_path_with_tricks_in_it_needs_the_token_as_well(string path)
    {
        await using var test = await AdminUnderTest.StartAsync();
        var line = await test.RawAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        Assert.Contains(line.Split(' ')[1], (string[])["401", "400"]);
    }

    [Theory]
    [InlineData("GET /api/status HTTP/1.1\r\n\r\n")] // no host at all
    [InlineData("GET /api/status HTTP/1.0\r\n\r\n")]
    [InlineData("GET /api/status HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n")]
    [InlineData("GARBAGE\r\n\r\n")]
    [InlineData("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")]
    public async Task A_request_that_is_none_is_refused(string request)
    {
        await using var test = await AdminUnderTest.StartAsync();
        var line = await test.RawAsync(request);

        Assert.True(line.Length == 0 || line.Split(' ')[1][0] == '4', line);
        using var client = test.Client;
        Assert.Equal(200, (await client.SendAsync("GET", "/healthz")).Status);
    }

    [Fact]
    public async Task An_answer_names_no_server_and_allows_no_other_site()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        client.DefaultRequestHeaders.Add("Origin", "https://evil.example");
        using var answer = await client.GetAsync("/api/status");

        Assert.False(answer.Headers.Contains("Server"));
        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.Equal(405, (await client.SendAsync("OPTIONS", "/api/status")).Status);
    }

    [Fact]
    public async Task Each_change_leaves_one_line_that_says_who_and_what()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var tcp = test.Client;
        using var socket = test.NewSocketClient();
        await tcp.SendAsync("POST", "/api/tables/guests", """{"key":"tls_domain","value":"a.example.com"}""");
        await socket.SendAsync("DELETE", "/api/tables/guests");
        await tcp.SendAsync("GET", "/api/tables/guests");

        var lines = test.Proxy.Logs.Lines.Where(line => line.EventName == "Changed").ToList();
        Assert.Equal(2, lines.Count);
        Assert.All(lines, line => Assert.Equal(LogLevel.Information, line.Level));
        Assert.Contains("by 127.0.0.1:", lines[0].Text, StringComparison.Ordinal);
        Assert.Contains("table guests + a.example.com: 0 values -> 1 values", lines[0].Text, StringComparison.Ordinal);
        Assert.Contains($"(process {Environment.ProcessId})", lines[1].Text, StringComparison.Ordinal);
        Assert.DoesNotContain(test.Proxy.Logs.Lines, line => line.Text.Contains(AdminUnderTest.Token, StringComparison.Ordinal));
    }

    [Fact]
    public void A_token_does_not_print_itself() => Assert.DoesNotContain(
        AdminUnderTest.Token, $"{new AdminSettings { Token = new AdminToken(AdminUnderTest.Token) }}", StringComparison.Ordinal);
}
