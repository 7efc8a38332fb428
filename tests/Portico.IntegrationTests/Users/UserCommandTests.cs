using System.Diagnostics;
using System.Text.Json.Nodes;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Xunit;

namespace Portico.IntegrationTests.Users;

/// <summary><c>portico user …</c> beside a running proxy, as operators and clients meet it.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class UserCommandTests : IAsyncLifetime
{
    private readonly UserStage _stage = new();

    public Task InitializeAsync() => _stage.StartAsync();

    public Task DisposeAsync() => _stage.DisposeAsync().AsTask();

    [Fact]
    public async Task Add_prints_links_that_work_at_once_and_remove_ends_their_sessions()
    {
        var output = await RunAsync("user", "add", "alice", "--group", "family");
        Assert.Matches(@"# main, user alice, fake-tls\ntg://proxy\?server=127\.0\.0\.1&port=\d+&secret=ee[0-9a-f]{32}7777", output);
        await using var client = await _stage.GreetAsync(await SecretOfAsync("alice"));
        await client.EchoAsync(100);

        Assert.Matches(@"\nalice +managed +active +1 +1 +- +- +family\n", await RunAsync("user", "list"));
        Assert.Matches(@"\nnow +1 sessions from 1 networks\n", await RunAsync("user", "show", "alice"));
        Assert.Equal("applied\n", await RunAsync("user", "remove", "alice"));
        await client.ReadToEndAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Switched_off_a_user_is_out_within_a_second_and_in_again_when_switched_on()
    {
        await RunAsync("user", "add", "alice");
        var secret = await SecretOfAsync("alice");
        await using var client = await _stage.GreetAsync(secret);
        await client.EchoAsync(100);
        await RunAsync("user", "disable", "alice");
        var since = Stopwatch.StartNew();
        await client.ReadToEndAsync(TimeSpan.FromSeconds(5));
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(3)); // another process has to end first
        await RunAsync("user", "enable", "alice");
        await using var again = await _stage.GreetAsync(secret);
        await again.EchoAsync(100);
    }

    [Fact]
    public async Task A_quota_ends_a_download_and_reset_usage_opens_the_door_again()
    {
        await RunAsync("user", "add", "alice", "--quota", "1 MiB", "--period", "none");
        var secret = await SecretOfAsync("alice");
        await using (var client = await _stage.GreetAsync(secret))
        {
            await client.AskForAsync(4000, 1000);
            Assert.InRange(await client.UntilEndAsync(), 900_000, 1_200_000);
        }

        Assert.InRange(await UsedAsync("alice"), 900_000, 1_200_000);
        Assert.Contains("its bytes are used up", await RunAsync("user", "list"), StringComparison.Ordinal);
        Assert.StartsWith("0 B of 1.0 MB", await RunAsync("user", "reset-usage", "alice"), StringComparison.Ordinal);
        await using var again = await _stage.GreetAsync(secret);
        await again.EchoAsync(100);
    }

    [Fact]
    public async Task Lists_go_out_and_come_in_as_json_and_csv_and_change_nothing_on_the_way()
    {
        await RunAsync("user", "add", "alice", "--quota", "50 GiB", "--note", "says \"hello, you\"; and more", "--expires", "2030-01-31");
        await RunAsync("user", "add", "bob", "--down", "2 MiB", "--max-networks", "3", "--domain", "bob.example.com");
        foreach (var format in new[] { "json", "csv" })
        {
            _stage.Directory.Write($"users.{format}", await RunAsync("user", "export", "--format", format));
            Assert.Equal("0 added, 0 changed, 0 removed\n", await RunAsync("user", "import", $"users.{format}", "--replace"));
        }

        _stage.Directory.Write("more.csv", "name;maxConnections\ncarol;5\nalice;7\n");
        Assert.Equal("1 added, 1 changed, 0 removed\n", await RunAsync("user", "import", "more.csv"));
        var alice = JsonNode.Parse(await RunAsync("user", "show", "alice", "--json"))!["users"]![0]!;
        Assert.Equal((7, "says \"hello, you\"; and more"), ((int)alice["status"]!["maxConnections"]!, (string)alice["note"]!));
    }

    [Theory]
    [InlineData("user show nobody", "there is no user of that name")]
    [InlineData("user remove default", "the configuration file")]
    [InlineData("user add default", "default")]
    [InlineData("user add alice --quota much", "users[0].quota.bytes")]
    [InlineData("user add alice --expires tomorrow", "--expires")]
    [InlineData("user add alice --secret-file 00112233445566778899aabbccddeeff", "cannot read [hidden]: no such file")]
    [InlineData("user edit alice", "nothing to change")]
    [InlineData("user import missing.json", "missing.json")]
    public async Task What_is_wrong_is_said_and_the_exit_code_is_2(string line, string words)
    {
        var (code, _, errors) = await PorticoProcess.RunAsync(_stage.Directory.Path, line.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(words, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Users_and_their_usage_survive_an_orderly_end_and_a_kill()
    {
        await RunAsync("user", "add", "alice");
        var secret = await SecretOfAsync("alice");
        await using (var client = await _stage.GreetAsync(secret)) await client.EchoAsync(100_000);
        await _stage.StopAsync();
        await _stage.StartAsync();
        Assert.InRange(await UsedAsync("alice"), 200_000, 250_000);
        await using (var client = await FakeClient.GreetSoonAsync(_stage.Endpoint, secret)) await client.EchoAsync(100_000);
        await Task.Delay(TimeSpan.FromSeconds(11)); // kept every ten
        var before = await UsedAsync("alice");
        await _stage.KillAsync();
        await _stage.StartAsync();
        Assert.Equal(before, await UsedAsync("alice"));
        await using var again = await FakeClient.GreetSoonAsync(_stage.Endpoint, secret);
        await again.EchoAsync(100);
    }

    [Fact]
    public async Task A_file_that_names_a_managed_user_is_refused_at_a_reload_and_both_places_are_named()
    {
        await RunAsync("user", "add", "alice");
        _stage.Write("""{ "name": "alice", "secret": "c1b2c3d4e5f60718293a4b5c6d7e8f92" }""");
        var (code, _, errors) = await PorticoProcess.RunAsync(_stage.Directory.Path, ["reload"]);
        Assert.Equal(2, code);
        Assert.Contains("\"alice\" is the name of a managed user too", errors, StringComparison.Ordinal);
        Assert.Contains("the listener main in the configuration file", errors, StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var (code, output, errors) = await PorticoProcess.RunAsync(_stage.Directory.Path, arguments);
        Assert.Equal((0, ""), (code, errors));
        return output;
    }

    private async Task<ProxySecret> SecretOfAsync(string name)
    {
        var users = JsonNode.Parse(await RunAsync("user", "export"))!["users"]!.AsArray();
        return ProxySecret.Create(Convert.FromHexString((string)users.Single(user => (string)user!["name"]! == name)!["secret"]!));
    }

    private async Task<long> UsedAsync(string name)
    {
        var status = JsonNode.Parse(await RunAsync("user", "show", name, "--json"))!["users"]![0]!["status"]!;
        return (long)status["receivedBytes"]! + (long)status["sentBytes"]!;
    }
}
