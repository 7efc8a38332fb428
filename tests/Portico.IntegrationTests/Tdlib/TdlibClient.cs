using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;

namespace Portico.IntegrationTests.Tdlib;

/// <summary>
/// A real Telegram client without an account: enough to ping a proxy.
/// Never talks to anybody but the proxies it is told to ping.
/// </summary>
internal sealed class TdlibClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly int _id;
    private readonly string _folder;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonNode>> _asked = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _receiver;
    private int _requests;

    private TdlibClient()
    {
        TdJson.Execute("""{"@type":"setLogVerbosityLevel","new_verbosity_level":1}""");
        _id = TdJson.CreateClient();
        _folder = Directory.CreateTempSubdirectory("portico-tdlib-").FullName;
        _receiver = new Thread(Receive) { IsBackground = true, Name = "TDLib answers" };
        _receiver.Start();
    }

    internal static async Task<TdlibClient> StartAsync()
    {
        var client = new TdlibClient();
        // Without a network TDLib leaves Telegram's own servers alone, but still pings what it is asked to.
        // It keeps the request until it has its parameters, and must have it by then:
        // one that comes later finds a connection under way.
        var offline = client.ExpectOkAsync(
            new JsonObject { ["@type"] = "setNetworkType", ["type"] = new JsonObject { ["@type"] = "networkTypeNone" } });
        var ready = client.ExpectOkAsync(new JsonObject
        {
            ["@type"] = "setTdlibParameters",
            ["database_directory"] = client._folder,
            ["files_directory"] = client._folder,
            ["use_test_dc"] = false,
            ["api_id"] = 1,  // any number: it is first sent to Telegram at login
            ["api_hash"] = "none",
            ["system_language_code"] = "en",
            ["device_model"] = "test",
            ["application_version"] = "1",
        });
        await Task.WhenAll(offline, ready);
        return client;
    }

    /// <summary>What the button "check proxy" of a Telegram app does; the answer is of type seconds or error.</summary>
    internal Task<JsonNode> PingProxyAsync(IPEndPoint proxy, string secret) => AskAsync(new JsonObject
    {
        ["@type"] = "pingProxy",
        ["proxy"] = new JsonObject
        {
            ["@type"] = "proxy",
            ["server"] = proxy.Address.ToString(),
            ["port"] = proxy.Port,
            ["type"] = new JsonObject { ["@type"] = "proxyTypeMtproto", ["secret"] = secret },
        },
    });

    /// <summary>Ends the client, then its thread: none may be inside the library when the process ends.</summary>
    public async ValueTask DisposeAsync()
    {
        TdJson.Send(_id, """{"@type":"close"}""");
        await _closed.Task.WaitAsync(Patience);
        _receiver.Join();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task ExpectOkAsync(JsonObject request)
    {
        var answer = await AskAsync(request);
        if ((string?)answer["@type"] != "ok")
            throw new InvalidOperationException($"TDLib does not take {request.ToJsonString()}: {answer.ToJsonString()}");
    }

    private async Task<JsonNode> AskAsync(JsonObject request)
    {
        var tag = $"{Interlocked.Increment(ref _requests)}";
        var answer = _asked[tag] = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        request["@extra"] = tag;
        TdJson.Send(_id, request.ToJsonString());
        return await answer.Task.WaitAsync(Patience);
    }

    private void Receive()
    {
        while (!_closed.Task.IsCompleted)
        {
            if (TdJson.Receive(seconds: 1) is not { } text)
                continue;
            var answer = JsonNode.Parse(text)!;
            if ((string?)answer["@extra"] is { } tag && _asked.TryRemove(tag, out var asked))
                asked.TrySetResult(answer);
            else if ((string?)answer["authorization_state"]?["@type"] == "authorizationStateClosed")
                _closed.TrySetResult();
        }
    }
}
