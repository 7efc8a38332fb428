using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Life;

/// <summary>One process takes over from another while clients come, transfer and wait.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class HandOverTests(ITestOutputHelper output)
{
    [Fact]
    public Task Nobody_is_refused_or_cut_and_no_replay_is_answered_over_three_hand_overs() =>
        HandOverAsync(upgrades: 3, perSecond: 100, mostMs: double.MaxValue);

    [Fact]
    [Trait(Suite.Trait, Suite.Minutes)]
    public Task Nobody_is_refused_or_cut_and_no_replay_is_answered_over_a_hundred_hand_overs() =>
        HandOverAsync(upgrades: 100, perSecond: 500, mostMs: 300);

    [Fact]
    public async Task A_hello_that_came_in_halves_to_both_sides_of_the_border_is_served_once()
    {
        await using var proxy = await UpgradableProxy.StartAsync();
        var halved = await proxy.ConnectAsync();
        var (silent, since) = (new Queue<FakeClient>(), Stopwatch.StartNew());
        var sent = await SpeakAsync(halved, proxy.UpgradeAsync(), async () =>
        {
            if (silent.Count > 0 && since.Elapsed < BetweenSilent) return;
            silent.Enqueue(await proxy.ConnectAsync());
            silent.Enqueue(await proxy.ConnectAsync(Plain));
            since.Restart();
        });
        // Not the last ones, which may have come to the successor; those before have not been silent for long.
        while (silent.Count > 4) await silent.Dequeue().DisposeAsync();
        var (late, plain) = (silent.Dequeue(), silent.Dequeue());

        await late.GreetAsync();
        await halved.Wire.SendAsync(halved.Hello.AsMemory(sent));
        await halved.ExpectFlightAsync();
        foreach (var client in new[] { late, halved, plain })
        {
            await client.EchoAsync(1000);
            await client.DisposeAsync();
        }

        while (silent.TryDequeue(out var other)) await other.DisposeAsync();
        foreach (var hello in new[] { late.Hello, halved.Hello })
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(proxy.Endpoint, hello));
        await using var after = await proxy.GreetAsync();
        await after.EchoAsync(1000);
    }

    [Fact]
    public async Task What_the_successor_has_seen_is_a_stranger_to_the_old_process_too()
    {
        await using var proxy = await UpgradableProxy.StartAsync(variables: new() { ["PORTICO_LOG_LEVEL"] = "debug" });
        await using var waiting = await proxy.ConnectAsync();
        var sent = await SpeakAsync(waiting, proxy.UpgradeAsync());
        await using var other = await proxy.ConnectAsync();
        await other.Wire.SendAsync(waiting.Hello);
        Assert.Equal(1, (await other.Wire.ReadSomeAsync(new byte[1])).Count);
        var before = Detections();
        await waiting.Wire.SendAsync(waiting.Hello.AsMemory(sent));
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await waiting.Wire.ReadToEndAsync());
        await proxy.StoppedAsync(1);
        Assert.True(Detections() > before);

        int Detections() => proxy.Said.Split("replay_session_detected").Length;
    }

    [Fact]
    public async Task A_transfer_goes_on_in_the_old_process_and_a_silent_client_hears_fin()
    {
        await using var proxy = await UpgradableProxy.StartAsync();
        await using var silent = await proxy.GreetAsync();
        await silent.EchoAsync(10);
        await using var busy = await proxy.GreetAsync();
        await Task.Delay(2100); // nothing tells how long somebody has been silent
        for (var upgrade = proxy.UpgradeAsync(); !upgrade.IsCompleted;) await busy.EchoAsync(10);
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await silent.Wire.ReadToEndAsync());
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(3);)
            await busy.DownloadAsync(4, 65536);
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await busy.Wire.ReadToEndAsync());
        await proxy.StoppedAsync(1);
    }

    [Fact]
    public async Task A_configuration_with_errors_leaves_the_old_process_serving()
    {
        await using var proxy = await UpgradableProxy.StartAsync();
        await using var client = await proxy.GreetAsync();
        var old = proxy.Process;
        proxy.Configure("\"loops\": -1,");
        var (code, _, errors) = await UpgradeCommandAsync(proxy);
        Assert.Equal(1, code);
        Assert.Contains("before it was ready", errors, StringComparison.Ordinal);
        Assert.Contains("loops", proxy.Said, StringComparison.Ordinal);
        await client.EchoAsync(1000);
        Assert.Equal(old, proxy.Process);
        await using var next = await proxy.GreetAsync();
        await next.EchoAsync(1000);

        proxy.Configure("");
        await proxy.UpgradeAsync();
        Assert.NotEqual(old, proxy.Process);
        await using var last = await proxy.GreetAsync();
        await last.EchoAsync(1000);
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(proxy.Endpoint, next.Hello));
    }

    [Fact]
    public async Task A_successor_that_dies_after_the_old_one_has_let_go_gives_everything_back()
    {
        await using var proxy = await UpgradableProxy.StartAsync();
        await using var client = await proxy.GreetAsync();
        // Its second listener cannot be had, which it notices when it has the sockets of the first.
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        proxy.Configure("");
        proxy.Directory.Write("portico.json", File.ReadAllText(proxy.Directory.File("portico.json")).Replace(
            "\"listeners\": [", $$"""
            "listeners": [{ "name": "second", "address": "127.0.0.1", "port": {{((IPEndPoint)taken.LocalEndpoint).Port}},
                "domain": "www.example.com", "secret": "00112233445566778899aabbccddeeff" },
            """, StringComparison.Ordinal));
        var (code, _, errors) = await UpgradeCommandAsync(proxy);
        Assert.Equal(1, code);
        Assert.Contains("cannot listen", proxy.Said, StringComparison.Ordinal);
        Assert.Contains("portico: ", errors, StringComparison.Ordinal);

        await client.EchoAsync(1000);
        await using var next = await proxy.GreetAsync();
        await next.EchoAsync(1000);
        foreach (var hello in new[] { client.Hello, next.Hello })
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(proxy.Endpoint, hello));
        proxy.Configure("");
        await proxy.UpgradeAsync();
        foreach (var hello in new[] { client.Hello, next.Hello })
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(proxy.Endpoint, hello));
    }

    [Fact]
    public async Task Another_data_directory_is_refused_since_nobody_there_knows_what_was_seen()
    {
        await using var proxy = await UpgradableProxy.StartAsync();
        proxy.Configure("\"dataDirectory\": \"elsewhere\",");
        var (code, _, errors) = await UpgradeCommandAsync(proxy);
        Assert.Equal(1, code);
        Assert.Contains("data directory", errors, StringComparison.Ordinal);
        await using var client = await proxy.GreetAsync();
        await client.EchoAsync(1000);
    }

    [Fact]
    public async Task The_portable_engine_says_that_it_cannot()
    {
        await using var proxy = await UpgradableProxy.StartAsync(more: "\"engine\": \"sockets\",");
        var (code, _, errors) = await UpgradeCommandAsync(proxy);
        Assert.Equal(1, code);
        Assert.Contains("engine", errors, StringComparison.Ordinal);
        await using var client = await proxy.GreetAsync();
        await client.EchoAsync(1000);
    }

    [Fact]
    public async Task The_command_says_who_has_taken_over_and_the_administration_is_the_successors()
    {
        await using var proxy = await UpgradableProxy.StartAsync();
        var (code, text, _) = await UpgradeCommandAsync(proxy);
        Assert.Equal(0, code);
        await proxy.TakenOverAsync();
        Assert.Equal($"Process {proxy.Process} has taken over.\n", text);
        await proxy.StoppedAsync(1);
        // The successor's administration opens when the other one has closed.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        do (code, text, _) = await PorticoProcess.RunAsync(proxy.Directory.Path, ["status"]);
        while (code != 0 && !patience.IsCancellationRequested);
        Assert.Equal(0, code);
        Assert.Contains("serving", text, StringComparison.Ordinal);
        Assert.Equal(3, (await PorticoProcess.RunAsync(proxy.Directory.Path, ["upgrade", "--socket", "nobody.sock"])).Code);
    }

    // Whoever waits for longer than 2 s has been silent when the old process begins to drain, which may take a while to come to that.
    private static readonly TimeSpan BetweenSilent = TimeSpan.FromSeconds(0.5), BetweenBytes = TimeSpan.FromSeconds(0.1);

    private static readonly ClientProfile Plain = new() { Mode = ClientMode.Plain };

    // Begins a hello, and says a byte more of it now and then until another process has taken over: nobody takes it for silent.
    private static async Task<int> SpeakAsync(FakeClient client, Task upgrade, Func<Task>? meanwhile = null)
    {
        var sent = 0;
        while (!upgrade.IsCompleted)
        {
            var piece = client.Hello.AsMemory(sent, sent == 0 ? 100 : 1);
            await client.Wire.SendAsync(piece);
            sent += piece.Length;
            if (meanwhile is not null) await meanwhile();
            await Task.WhenAny(upgrade, Task.Delay(BetweenBytes));
        }

        await upgrade;
        return sent;
    }

    private static Task<(int Code, string Output, string Errors)> UpgradeCommandAsync(UpgradableProxy proxy) =>
        PorticoProcess.RunAsync(proxy.Directory.Path, ["upgrade", "--socket", "admin.sock"]);

    private async Task HandOverAsync(int upgrades, int perSecond, double mostMs)
    {
        await using var proxy = await UpgradableProxy.StartAsync();
        await using (var load = new ConnectLoad(proxy, perSecond))
        {
            for (var done = 0; done < upgrades; done++)
            {
                await Task.Delay(300); // clients come meanwhile
                await proxy.UpgradeAsync();
            }

            await Task.Delay(300);
            await load.EndAsync();
            output.WriteLine($"{load.Clients} clients, flight after {load.FlightMs(50):0.0} ms, "
                + $"of 99 % within {load.FlightMs(99):0.0} ms, of all within {load.FlightMs(100):0.0} ms");
            Assert.Empty(load.Failures);
            Assert.Equal(0, load.ReplaysAnswered);
            Assert.InRange(load.FlightMs(99), 0, mostMs);
            Assert.InRange(load.Clients, perSecond * upgrades * 3 / 10, int.MaxValue);
        }

        await proxy.StoppedAsync(upgrades);
        Assert.DoesNotContain("did not stop in order", proxy.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", proxy.Said, StringComparison.Ordinal);
    }
}
