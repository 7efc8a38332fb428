using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.TestKit;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;

namespace Portico.IntegrationTests.Users;

/// <summary>A proxy of its own process whose users are managed over its socket, and which is started again after it was killed.</summary>
internal sealed class UserStage : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTelegram _telegram = FakeTelegram.Start();
    private readonly ProxySecret _secret = ProxySecret.Create(Guid.NewGuid().ToByteArray());
    private readonly HttpClient _admin;
    private readonly string[] _command;
    private readonly string _places;
    private PorticoProcess? _portico;

    /// <summary>Not started yet.</summary>
    /// <param name="dataDirectory">Where it keeps users; null = beside its configuration.</param>
    /// <param name="within">What starts it, for example within other mounts.</param>
    public UserStage(string? dataDirectory = null, params string[] within)
    {
        _command = [.. within, .. PorticoExecutable.Command];
        _admin = AdminSocket.Client(_directory.File("admin.sock"));
        _places = $$""" "dataDirectory": "{{dataDirectory ?? "data"}}", "admin": { "socket": "{{_directory.File("admin.sock")}}" }, """;
    }

    /// <summary>Where the listener is, since the last start.</summary>
    public IPEndPoint Endpoint { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>What it has said on stderr since the last start.</summary>
    public string Said => _portico!.Said();

    /// <summary>Where commands find it.</summary>
    public TemporaryDirectory Directory => _directory;

    /// <summary>Writes its configuration.</summary>
    /// <param name="users">Of the file, with commas between them.</param>
    public void Write(string users = "") => _directory.Write("portico.json", DirectConfiguration.Text(_secret, _telegram, _places, users));

    /// <summary>Starts it, and waits until it can be asked.</summary>
    public async Task StartAsync()
    {
        if (_portico is not null) await _portico.DisposeAsync();
        Write();
        _portico = PorticoProcess.Start(_command, _directory.Path, ["run", "--config", _directory.File("portico.json")]);
        Endpoint = new IPEndPoint(IPAddress.Loopback, await _portico.PortAsync());
        await _portico.UntilAdministeredAsync();
    }

    /// <summary>SIGKILL, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        PorticoProcess.Signal(_portico!.Id, Signals.Kill);
        await _portico.GoneAsync();
    }

    /// <summary>An orderly end.</summary>
    public async Task StopAsync()
    {
        PorticoProcess.Signal(_portico!.Id, Signals.Terminate);
        await _portico.GoneAsync();
    }

    /// <summary>Adds one user.</summary>
    public async Task AddAsync(string name, ProxySecret secret)
    {
        using var answer = await _admin.PostAsJsonAsync("api/users", new { name, secret = Convert.ToHexStringLower(secret.Key) });
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Puts a whole set; the status and the answer.</summary>
    public async Task<(HttpStatusCode Status, JsonNode Answer)> PutAsync(JsonArray users)
    {
        using var content = new StringContent(new JsonObject { ["users"] = users.DeepClone() }.ToJsonString(), null, "application/json");
        using var answer = await _admin.PutAsync("api/users", content);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    /// <summary>What is counted, as of this moment.</summary>
    public async Task<JsonNode> UsageAsync() => JsonNode.Parse(await _admin.GetStringAsync("api/usage?since=0"))!;

    /// <summary>Bytes both ways of one user.</summary>
    public async Task<long> BytesAsync(string name)
    {
        var user = (await UsageAsync())["users"]!.AsArray().Single(it => (string)it!["name"]! == name)!;
        return (long)user["receivedBytes"]! + (long)user["sentBytes"]!;
    }

    /// <summary>Values of the metric's lines, added up; 0 if there is none.</summary>
    public async Task<double> MetricAsync(string name) => (await _admin.GetStringAsync("metrics")).Split('\n')
        .Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>A client that has its flight.</summary>
    public async Task<FakeClient> GreetAsync(ProxySecret secret, string domain = "www.example.com")
    {
        var client = await FakeClient.ConnectAsync(Endpoint, new ClientProfile { Secret = secret, Domain = domain });
        await client.GreetAsync();
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        if (_portico is not null) await _portico.DisposeAsync();
        _admin.Dispose();
        await _telegram.DisposeAsync();
        _directory.Dispose();
    }
}
