using System.Net;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Portico.Admin.Tests.Api;

public sealed class OperationsTests
{
    [Fact]
    public async Task A_reload_answers_with_what_it_changed()
    {
        await using var test = await AdminUnderTest.StartAsync();
        test.Outcome = new("partial", [new("timeouts.idleSeconds", "new sessions"), new("loops", "restart")], [], []);
        using var client = test.Client;
        var (status, outcome) = await client.SendAsync("POST", "/api/reload");

        Assert.Equal((200, "partial"), (status, (string)outcome!["result"]!));
        Assert.Equal("restart", (string)outcome["changes"]![1]!["takesEffect"]!);
        Assert.Contains(
            test.Proxy.Logs.Lines, line => line.Text.Contains("partial: timeouts.idleSeconds, loops", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_reload_names_every_error()
    {
        await using var test = await AdminUnderTest.StartAsync();
        test.Outcome = new("refused", [], [new("listeners[0].port", "is taken"), new("loops", "is no number")], []);
        using var client = test.Client;
        var (status, problem) = await client.SendAsync("POST", "/api/reload");

        Assert.Equal((422, "listeners[0].port"), (status, (string)problem!["key"]!));
        Assert.Equal(["listeners[0].port", "loops"], problem["errors"]!.AsArray().Select(error => (string)error!["key"]!));
    }

    [Fact]
    public async Task An_upgrade_answers_with_the_process_that_took_over_and_one_that_failed_with_the_reason()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        var (status, outcome) = await client.SendAsync("POST", "/api/upgrade");
        Assert.Equal((200, 4711), (status, (int)outcome!["process"]!));

        test.Upgrade = new(null, "the successor ended before it was ready");
        (status, outcome) = await client.SendAsync("POST", "/api/upgrade");
        Assert.Equal((409, "the successor ended before it was ready"), (status, (string)outcome!["detail"]!));
        Assert.Contains(
            test.Proxy.Logs.Lines, line => line.Text.Contains("upgrade: version 1.2.3 -> process 4711", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_log_level_is_set_for_a_time()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        var (status, answer) = await client.SendAsync("PUT", "/api/log-level", """{"category":"cover","level":"debug","seconds":30}""");

        Assert.Equal((200, "debug", "info"), (status, (string)answer!["level"]!, (string)answer["was"]!));
        Assert.Equal([("cover", LogLevel.Debug, TimeSpan.FromSeconds(30))], test.Levels);
    }

    [Theory]
    [InlineData("""{"level":"loud"}""", "level")]
    [InlineData("""{"category":"cover"}""", "level")]
    [InlineData("", "level")]
    [InlineData("""{"level":"debug","seconds":0}""", "seconds")]
    [InlineData("""{"level":"debug","seconds":86401}""", "seconds")]
    [InlineData("""{"level":"debug","category":"no category"}""", "category")]
    public async Task A_log_level_that_is_none_is_refused(string body, string key)
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        var (status, problem) = await client.SendAsync("PUT", "/api/log-level", body);

        Assert.Equal((400, key), (status, (string?)problem!["key"]));
    }

    [Theory]
    [InlineData("POST", "/api/reload", false)]
    [InlineData("POST", "/api/tables/guests", false)]
    [InlineData("POST", "/api/tables/guests", true)]
    [InlineData("PUT", "/api/log-level", true)]
    [InlineData("GET", "/api/status", false)]
    [InlineData("POST", "/nothing", false)]
    public async Task A_body_of_a_megabyte_is_refused(string method, string path, bool chunked)
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new ByteArrayContent(new byte[1_000_000]) };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.ExpectContinue = true; // or the refusal may be lost in what the client still sends
        using var answer = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        using var other = test.Client;
        Assert.Equal(200, (await other.SendAsync("GET", "/healthz")).Status);
    }

    [Fact]
    public async Task Where_clients_should_not_come_is_told_by_readyz()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.NewClient(null);
        Assert.Equal(200, (await client.SendAsync("GET", "/readyz")).Status);

        await using var staying = await test.Proxy.GreetAsync();
        await staying.EchoAsync(100);
        var stopped = test.Proxy.Proxy.StopAsync(TimeSpan.FromMinutes(1));
        var (status, answer) = await client.SendAsync("GET", "/readyz");
        Assert.Equal((503, "draining"), (status, (string)answer!["reasons"]![0]!));
        Assert.Equal(200, (await client.SendAsync("GET", "/healthz")).Status);
        Assert.Equal("draining", (string)(await test.Client.JsonAsync("/api/status"))["state"]!);
        await test.Proxy.Proxy.StopAsync(TimeSpan.Zero);
        await stopped;
    }

    [Fact]
    public async Task A_loop_that_hangs_is_waited_for_two_seconds_and_told_as_503()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var hung = new ManualResetEventSlim();
        test.Proxy.Proxy.Engine.Loops[1].Post(hung.Wait);
        using var client = test.Client;
        try
        {
            string[] paths = ["/healthz", "/api/sessions", "/api/users"];
            var asked = paths.Select(path => client.SendAsync("GET", path)).ToList();
            foreach (var answer in asked)
                Assert.Equal(503, (await answer.WaitAsync(TimeSpan.FromSeconds(20))).Status);
            Assert.Equal(200, (await client.SendAsync("GET", "/api/status")).Status); // asks no loop
        }
        finally
        {
            hung.Set();
        }

        Assert.Equal(200, (await client.SendAsync("GET", "/healthz")).Status);
    }

    [Fact]
    public async Task The_status_tells_listeners_data_centres_and_memory()
    {
        await using var test = await AdminUnderTest.StartAsync();
        await using var relaying = await test.Proxy.GreetAsync();
        await relaying.EchoAsync(3000);
        using var client = test.Client;
        var status = await client.JsonAsync("/api/status");

        Assert.Equal(("1.2.3", "serving"), ((string)status["version"]!, (string)status["state"]!));
        var listener = status["listeners"]!.AsArray().Single()!;
        Assert.Equal(("test", test.Proxy.Endpoint.ToString()), ((string)listener["name"]!, (string)listener["address"]!));
        Assert.Equal((1, 0, 1), ((int)listener["relaying"]!, (int)listener["handshake"]!, (int)listener["users"]!));
        var dc = status["dcs"]!.AsArray().Single()!;
        Assert.Equal((2, true, 1), ((int)dc["dc"]!, (bool)dc["reachable"]!, (int)dc["connections"]!));
        Assert.InRange((long)dc["sentBytes"]!, 3000, 10_000);
        Assert.InRange((long)status["descriptors"]!["open"]!, 10, 100_000);
        Assert.Equal("off", (string)status["cover"]!["mode"]!);
    }
}
