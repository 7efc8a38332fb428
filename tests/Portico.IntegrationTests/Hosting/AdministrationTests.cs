using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.TestKit;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hosting;

/// <summary>The executable and its HTTP interface, over TCP and over the unix socket.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class AdministrationTests : IAsyncLifetime, IDisposable
{
    private const string Token = "token-of-an-operator-0123456789";
    private const string Started = "Administration at ";

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTelegram _telegram = FakeTelegram.Start();
    private readonly ProxySecret _secret = ProxySecret.Create([.. "0123456789abcdef"u8]);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _telegram.DisposeAsync();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task It_is_administered_over_TCP_with_the_token_and_over_the_socket_without()
    {
        Write(idleSeconds: 600);
        await using var portico = PorticoProcess.Start(_directory.Path, []);
        var endpoint = new IPEndPoint(IPAddress.Loopback, await portico.PortAsync());
        var address = await AddressAsync(portico);
        await using var client = await FakeClient.ConnectAsync(endpoint, new ClientProfile { Secret = _secret });
        await client.GreetAsync();
        await client.EchoAsync(1000);
        using var tcp = new HttpClient { BaseAddress = new Uri($"http://{address}/") };
        tcp.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        using var socket = AdminSocket.Client(_directory.File("admin.sock"));

        var status = await JsonAsync(tcp, "/api/status");
        Assert.Equal(1, (int)status["listeners"]![0]!["relaying"]!);
        Assert.NotEqual("unknown", (string)status["version"]!);
        Assert.Contains(
            "portico_connections_accepted_total{listener=\"main\"} 1", await tcp.GetStringAsync("/metrics"), StringComparison.Ordinal);
        Assert.DoesNotContain(Token, await socket.GetStringAsync("/api/config"), StringComparison.Ordinal);
        Assert.DoesNotContain(SecretText.FormatSimple(_secret), await socket.GetStringAsync("/api/config"), StringComparison.Ordinal);

        Write(idleSeconds: 700);
        using var reload = await socket.PostAsync("/api/reload", null);
        Assert.Contains("timeouts.idleSeconds", await reload.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var id = (string)(await JsonAsync(socket, "/api/sessions"))["sessions"]![0]!["id"]!;
        using var ended = await socket.DeleteAsync($"/api/sessions/{id}");
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
        await client.ReadToEndAsync();

        portico.Signal(Signals.Terminate);
        var (code, _, errors) = await portico.EndAsync();
        Assert.Equal(0, code);
        Assert.Contains($"session {id}: open -> ended", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, errors, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory.File("admin.sock")));
    }

    [Fact]
    public async Task A_first_start_writes_a_token_that_opens_the_interface()
    {
        await using var portico = PorticoProcess.Start(
            _directory.Path, [], new Dictionary<string, string> { ["PORTICO__listeners__0__port"] = "0" });
        var address = await AddressAsync(portico);
        var line = File.ReadLines(_directory.File("portico.json")).Single(it => it.Contains("\"token\"", StringComparison.Ordinal));
        var token = line.Split('"')[5];
        using var tcp = new HttpClient { BaseAddress = new Uri($"http://{address}/") };
        using var without = await tcp.GetAsync("/api/status");
        tcp.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

        Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        Assert.Equal("serving", (string)(await JsonAsync(tcp, "/api/status"))["state"]!);
    }

    [Fact]
    public async Task Where_address_and_socket_are_taken_the_proxy_serves_all_the_same()
    {
        Write(idleSeconds: 600);
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        foreach (var place in (string[])["admin.sock", "data"]) Directory.CreateDirectory(_directory.File(place));
        Directory.CreateDirectory(Path.Combine(_directory.File("data"), "admin.sock"));
        await using var portico = PorticoProcess.Start(
            _directory.Path, [], new Dictionary<string, string> { [PorticoProcess.AdminAddress] = other.LocalEndpoint.ToString()! });
        var endpoint = new IPEndPoint(IPAddress.Loopback, await portico.PortAsync());
        await portico.UntilItSaysAsync("[AdminSocketFailed]");
        await using var client = await FakeClient.ConnectAsync(endpoint, new ClientProfile { Secret = _secret });
        await client.GreetAsync();
        await client.EchoAsync(1000);

        portico.Signal(Signals.Terminate);
        var (code, _, errors) = await portico.EndAsync();
        Assert.Equal(0, code);
        Assert.Single(errors.Split('\n'), line => line.Contains("[AdminAddressTaken]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reader_of_events_does_not_hold_up_the_end()
    {
        Write(idleSeconds: 600);
        await using var portico = PorticoProcess.Start(_directory.Path, []);
        await AddressAsync(portico);
        using var socket = AdminSocket.Client(_directory.File("admin.sock"));
        using var events = await socket.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead);
        portico.Signal(Signals.Terminate);

        await portico.GoneAsync().WaitAsync(Wire.Patience);
    }

    private void Write(int idleSeconds) => _directory.Write("portico.json", $$"""
        { "listeners": [{ "address": "127.0.0.1", "port": 0, "secret": "{{SecretText.FormatSimple(_secret)}}",
            "domain": "www.example.com" }],
          "backend": { "mode": "direct", "direct": { "endpoints": { "2": ["{{_telegram.Endpoint}}"] } } },
          "admin": { "token": "{{Token}}" }, "timeouts": { "idleSeconds": {{idleSeconds}}, "drainSeconds": 1 } }
        """);

    // Of "Administration at 127.0.0.1:40123 and /tmp/…/admin.sock".
    private static async Task<string> AddressAsync(PorticoProcess portico)
    {
        await portico.UntilItSaysAsync(Started);
        var said = portico.Said();
        var at = said.IndexOf(Started, StringComparison.Ordinal) + Started.Length;
        return said[at..said.IndexOf(' ', at)];
    }

    private static async Task<JsonNode> JsonAsync(HttpClient client, string path) => JsonNode.Parse(await client.GetStringAsync(path))!;
}
