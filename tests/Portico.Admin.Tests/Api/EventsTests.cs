using System.Text.Json.Nodes;
using Xunit;

namespace Portico.Admin.Tests.Api;

public sealed class EventsTests
{
    [Fact]
    public async Task A_session_that_opens_and_closes_is_told_under_its_id()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await using var events = await Stream.OpenAsync(client);
        await using (var one = await test.Proxy.GreetAsync())
        {
            await one.EchoAsync(100);
            var id = (string)(await client.JsonAsync("/api/sessions"))["sessions"]![0]!["id"]!;
            var opened = await events.NextAsync("session_opened");
            Assert.Equal((id, "default", 2), ((string)opened["session"]!, (string)opened["user"]!, (int)opened["dc"]!));
        }

        var closed = await events.NextAsync("session_closed");
        Assert.Equal(("client_closed", "client"), ((string)closed["reason"]!, (string)closed["side"]!));
        Assert.InRange((long)closed["receivedBytes"]!, 100, 10_000);
    }

    [Fact]
    public async Task A_reload_is_told()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await using var events = await Stream.OpenAsync(client);
        await client.SendAsync("POST", "/api/reload");

        Assert.Equal("unchanged", (string)(await events.NextAsync("reload"))["result"]!);
    }

    [Fact]
    public async Task What_the_log_warns_of_is_an_alarm()
    {
        await using var test = await AdminUnderTest.StartAsync(settings => settings with
        {
            Direct = settings.Direct with { Endpoints = settings.Direct.Endpoints.SetItem(2, [new(System.Net.IPAddress.Loopback, 9)]) },
        });
        using var client = test.Client;
        await using var events = await Stream.OpenAsync(client);
        await using var lost = await test.Proxy.GreetAsync();
        await lost.SendAsync(new byte[64]);

        var alarm = await events.NextAsync("alarm");
        Assert.Equal(("DcUnreachable", "warning"), ((string)alarm["name"]!, (string)alarm["level"]!));
        var status = await client.JsonAsync("/api/status");
        Assert.Equal("no_dc", (string)status["notReady"]!.AsArray().Single()!);
        Assert.False((bool)status["dcs"]!.AsArray().Single()!["reachable"]!);
    }

    [Fact]
    public async Task While_nothing_happens_there_are_signs_of_life()
    {
        await using var test = await AdminUnderTest.StartAsync(heartbeat: TimeSpan.FromMilliseconds(50));
        using var client = test.Client;
        await using var events = await Stream.OpenAsync(client);

        for (var i = 0; i < 3; i++) await events.LineAsync(": still here");
    }

    [Fact]
    public async Task There_are_sixteen_readers_at_most_and_a_place_is_free_when_one_leaves()
    {
        await using var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        var readers = new List<Stream>();
        for (var i = 0; i < 16; i++) readers.Add(await Stream.OpenAsync(client));
        Assert.Equal(503, (await client.SendAsync("GET", "/api/events")).Status);

        await readers[0].DisposeAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            using var answer = await client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (answer.IsSuccessStatusCode) break;
        }

        foreach (var reader in readers) await reader.DisposeAsync();
    }

    [Fact]
    public async Task A_reader_does_not_keep_the_server_from_stopping()
    {
        var test = await AdminUnderTest.StartAsync();
        using var client = test.Client;
        await using var events = await Stream.OpenAsync(client);

        await test.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
    }

    private sealed class Stream(HttpResponseMessage answer, StreamReader reader) : IAsyncDisposable
    {
        public static async Task<Stream> OpenAsync(HttpClient client)
        {
            var answer = await client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
            var stream = new Stream(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
            await stream.LineAsync("retry: "); // from here on nothing is missed
            return stream;
        }

        public async Task<string> LineAsync(string start)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (await reader.ReadLineAsync(patience.Token) is { } line)
            {
                if (line.StartsWith(start, StringComparison.Ordinal)) return line;
            }

            throw new InvalidOperationException($"the stream ended before {start}");
        }

        public async Task<JsonNode> NextAsync(string type)
        {
            await LineAsync($"event: {type}");
            return JsonNode.Parse((await LineAsync("data: "))["data: ".Length..])!;
        }

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            answer.Dispose();
            return default;
        }
    }
}
