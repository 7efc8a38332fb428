using System.Net;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Reload;

/// <summary>The executable, whose configuration changes while it runs.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class ReloadTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTelegram _telegram = FakeTelegram.Start();
    private readonly ProxySecret _secret = Fresh(), _other = Fresh();
    private PorticoProcess _portico = null!;
    private IPEndPoint _endpoint = null!;

    public async Task InitializeAsync()
    {
        Write(_secret);
        _portico = PorticoProcess.Start(_directory.Path, []);
        _endpoint = new IPEndPoint(IPAddress.Loopback, await _portico.PortAsync());
    }

    public async Task DisposeAsync()
    {
        await _portico.DisposeAsync();
        await _telegram.DisposeAsync();
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_hang_up_puts_the_file_in_force_and_cuts_nobody_off()
    {
        await using var client = await GreetAsync(_secret);
        await client.PingAsync();

        Write(_secret, _other);
        _portico.Signal(Signals.HangUp);
        await _portico.UntilItSaysAsync("listeners[0].users[0] (live)");

        Assert.True(await IsServedAsync(_other));
        await client.PingAsync();
        var errors = await StopAsync();
        Assert.DoesNotContain(SecretText.FormatSimple(_other), errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_change_of_the_file_is_noticed_without_a_signal()
    {
        Write(_secret, _other);
        await _portico.UntilItSaysAsync("the file changed");
        Assert.True(await IsServedAsync(_other));
    }

    [Fact]
    public async Task A_removed_secret_ends_its_sessions_within_a_second_of_the_reload_and_no_others()
    {
        Write(_secret, _other);
        _portico.Signal(Signals.HangUp);
        await _portico.UntilItSaysAsync("listeners[0].users[0] (live)");
        await using var stays = await GreetAsync(_secret);
        await using var goes = await GreetAsync(_other);
        await stays.PingAsync();
        await goes.PingAsync();

        Write(_secret);
        _portico.Signal(Signals.HangUp);

        await goes.ReadToEndAsync(Patience);
        await stays.PingAsync();
        Assert.False(await IsServedAsync(_other));
    }

    [Fact]
    public async Task An_invalid_file_changes_nothing_and_each_error_is_told()
    {
        await using var client = await GreetAsync(_secret);
        await client.PingAsync();

        _directory.Write("portico.json", """{ "listeners": [{ "port": 70000, "secret": "abc" }], "engin": "epoll" }""");
        _portico.Signal(Signals.HangUp);

        await _portico.UntilItSaysAsync("refused");
        await client.PingAsync();
        Assert.True(await IsServedAsync(_secret));
        var errors = await StopAsync();
        foreach (var key in (string[])["listeners[0].port", "listeners[0].secret", "listeners[0].domain", "engin"])
            Assert.Contains($"Configuration: {key}", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_refused_and_the_old_one_serves()
    {
        using var holder = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        Write(_secret, port: ((IPEndPoint)holder.LocalEndpoint).Port);
        _portico.Signal(Signals.HangUp);
        await _portico.UntilItSaysAsync("refused");
        Assert.True(await IsServedAsync(_secret));
    }

    [Fact]
    public async Task Keys_that_wait_for_a_start_are_named()
    {
        Write(_secret, _other, more: """, "loops": 3""");
        _portico.Signal(Signals.HangUp);
        await _portico.UntilItSaysAsync("next start only: loops (restart)");
        Assert.True(await IsServedAsync(_other));
    }

    private static ProxySecret Fresh() => ProxySecret.Create(Guid.NewGuid().ToByteArray());

    private void Write(ProxySecret secret, ProxySecret? other = null, int port = 0, string more = "")
    {
        var users = other is null ? "" : $$"""{ "name": "other", "secret": "{{SecretText.FormatSimple(other)}}" }""";
        _directory.Write("next.json", $$"""
            { "listeners": [{ "address": "127.0.0.1", "port": {{port}}, "secret": "{{SecretText.FormatSimple(secret)}}",
                "domain": "www.example.com", "users": [{{users}}] }],
              "backend": { "mode": "direct", "direct": { "endpoints": { "2": ["{{_telegram.Endpoint}}"] } } },
              "timeouts": { "drainSeconds": 0 }{{more}} }
            """);
        File.Move(_directory.File("next.json"), _directory.File("portico.json"), overwrite: true);
    }

    private async Task<FakeClient> GreetAsync(ProxySecret secret)
    {
        var client = await FakeClient.ConnectAsync(_endpoint, new ClientProfile { Secret = secret });
        await client.GreetAsync();
        return client;
    }

    private async Task<bool> IsServedAsync(ProxySecret secret)
    {
        await using var client = await FakeClient.ConnectAsync(_endpoint, new ClientProfile { Secret = secret });
        try
        {
            await client.GreetAsync();
            return true;
        }
        catch (PeerSurpriseException)
        {
            return false;
        }
    }

    // What it said while it ran.
    private async Task<string> StopAsync()
    {
        _portico.Signal(Signals.Terminate);
        return (await _portico.EndAsync()).Errors;
    }
}
