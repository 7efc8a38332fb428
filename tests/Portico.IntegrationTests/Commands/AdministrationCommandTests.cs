using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Commands;

/// <summary>What asks a running proxy: <c>status</c>, <c>sessions</c>, <c>users</c>, <c>reload</c>, <c>healthcheck</c>.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class AdministrationCommandTests : IAsyncLifetime, IDisposable
{
    private const string Token = "a-token-of-some-length";

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTelegram _telegram = FakeTelegram.Start();
    private readonly ProxySecret _secret = ProxySecret.Create(Guid.NewGuid().ToByteArray());
    private readonly int _adminPort = FreePort();
    private PorticoProcess _portico = null!;
    private IPEndPoint _endpoint = null!;

    public async Task InitializeAsync()
    {
        Write();
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_adminPort}");
        _portico = PorticoProcess.Start(_directory.Path, [], new Dictionary<string, string> { [PorticoProcess.AdminAddress] = address });
        _endpoint = new IPEndPoint(IPAddress.Loopback, await _portico.PortAsync());
        await _portico.UntilAdministeredAsync();
    }

    public async Task DisposeAsync()
    {
        await _portico.DisposeAsync();
        await _telegram.DisposeAsync();
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Status_shows_listeners_and_what_clients_have()
    {
        await using var client = await ConnectAsync();
        var (code, output, errors) = await RunAsync("status");
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches(@"^Portico \S+, serving for \d+ s; mode direct; 1 connections\n", output);
        Assert.Matches(@"\nmain +127\.0\.0\.1:\d+ +1 +64000 +0 +0 +2 +1 +0 ", output);
        Assert.Matches(@"\n +2 +reachable +1 +0 +0 ", output);
        Assert.Contains("\ncover: off", output, StringComparison.Ordinal);

        using var json = JsonDocument.Parse((await RunAsync("status", "--json")).Output);
        Assert.Equal(1, json.RootElement.GetProperty("listeners")[0].GetProperty("relaying").GetInt32());
    }

    [Fact]
    public async Task Sessions_are_listed_over_the_socket_and_with_the_token()
    {
        await using var client = await ConnectAsync();
        var (code, output, _) = await RunAsync("sessions");
        Assert.Equal(0, code);
        Assert.Matches(@"\n\S+ +main +relaying +default +fake_tls +2 +127\.0\.0\.1\S* +\d+ s +\d", output);

        _directory.Write("token", Token + "\n");
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_adminPort}");
        (code, output, _) = await RunAsync("sessions", "--url", url, "--token-file", "token", "--json");
        Assert.Equal(0, code);
        using var json = JsonDocument.Parse(output);
        Assert.Equal("default", Assert.Single(json.RootElement.GetProperty("sessions").EnumerateArray()).GetProperty("user").GetString());

        (code, _, var errors) = await RunAsync("sessions", "--url", url);
        Assert.Equal(1, code);
        Assert.Contains("answered 401", errors, StringComparison.Ordinal);
        Assert.Contains("--token-file", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_sessions_than_are_wanted_are_said_to_be_there()
    {
        await using var first = await ConnectAsync();
        await using var second = await ConnectAsync();
        var (_, output, _) = await RunAsync("sessions", "--limit", "1");
        Assert.Equal(3, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length); // head, one, and that there are more
        Assert.Contains("there are more", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_are_listed_whether_they_are_there_or_not()
    {
        await using var client = await ConnectAsync();
        var (code, output, _) = await RunAsync("users");
        Assert.Equal(0, code);
        Assert.Matches(@"\ndefault +main +1 +1 +\S+ K?B +\S+ K?B +now\n", output);
        Assert.Matches(@"\nanna +main +0 +0 +0 B +0 B +not since the start\n", output);
    }

    [Fact]
    public async Task Reload_tells_what_changed_or_every_error()
    {
        var (code, output, _) = await RunAsync("reload");
        Assert.Equal((0, "The configuration says what it said before.\n"), (code, output));

        Write("\"timeouts\": { \"drainSeconds\": 0, \"idleSeconds\": 77 }");
        (code, output, _) = await RunAsync("reload");
        Assert.Equal(0, code);
        Assert.Matches(@"timeouts\.idleSeconds +new sessions", output);

        Write("\"timeouts\": { \"idleSeconds\": 0 }, \"engin\": \"epoll\"");
        (code, output, var errors) = await RunAsync("reload");
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("timeouts.idleSeconds", errors, StringComparison.Ordinal);
        Assert.Contains("engin", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_running_proxy_the_exit_code_says_so()
    {
        Assert.Equal(0, (await RunAsync("healthcheck")).Code);
        _directory.Write("portico.json", "{ \"listeners\": 7 }"); // is no fault of what runs
        Assert.Equal(0, (await RunAsync("healthcheck")).Code);
        Assert.Equal(0, (await RunAsync("status", "--socket", "admin.sock")).Code);
        Write();
        _portico.Signal(Signals.Terminate);
        await _portico.GoneAsync();
        foreach (var command in (string[])["status", "sessions", "users", "reload"])
        {
            var (code, output, errors) = await RunAsync(command);
            Assert.Equal((3, ""), (code, output));
            Assert.StartsWith("portico: no proxy is running", errors, StringComparison.Ordinal);
        }

        Assert.Equal(1, (await RunAsync("healthcheck")).Code);
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) =>
        PorticoProcess.RunAsync(_directory.Path, arguments);

    private async Task<FakeClient> ConnectAsync()
    {
        var client = await FakeClient.ConnectAsync(_endpoint, new ClientProfile { Secret = _secret });
        await client.GreetAsync();
        await client.PingAsync();
        return client;
    }

    private void Write(string more = "\"timeouts\": { \"drainSeconds\": 0 }")
    {
        _directory.Write("portico.json", $$"""
            {
              "listeners": [{
                "name": "main", "address": "127.0.0.1", "port": 0, "domain": "www.example.org",
                "secret": "{{SecretText.FormatSimple(_secret)}}",
                "users": [{ "name": "anna", "secret": "00112233445566778899aabbccddeeff" }]
              }],
              "backend": { "mode": "direct", "direct": { "endpoints": { "2": ["{{_telegram.Endpoint}}"] } } },
              "admin": { "token": "{{Token}}" },
              {{more}}
            }
            """);
    }
}
