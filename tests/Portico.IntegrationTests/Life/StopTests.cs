using System.Diagnostics;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Life;

/// <summary>SIGTERM with clients there, as a container or a service manager sends it.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class StopTests(ITestOutputHelper output)
{
    // Far below the time that the drain may take, and far above what it takes: other tests run beside these.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(6);

    // What is promised; the long suites have the machine for themselves.
    private static readonly TimeSpan OfIdle = TimeSpan.FromSeconds(1), AfterTheLast = TimeSpan.FromSeconds(3);

    private const string Patient = "\"timeouts\": { \"drainSeconds\": 60 },";

    [Fact]
    public Task Idle_clients_hear_fin_at_once_and_transfers_are_finished_first() =>
        StopAsync(idle: 50, busy: 5, Soon);

    [Fact]
    [Trait(Suite.Trait, Suite.Long)]
    public Task Five_hundred_idle_clients_hear_fin_at_once_and_fifty_transfers_are_finished_first() =>
        StopAsync(idle: 500, busy: 50, AfterTheLast);

    [Fact]
    public Task With_idle_clients_alone_it_is_over_at_once() => IdleAsync(50, Soon);

    [Fact]
    [Trait(Suite.Trait, Suite.Long)]
    public Task With_five_hundred_idle_clients_it_is_over_within_a_second() => IdleAsync(500, OfIdle);

    private async Task IdleAsync(int clients, TimeSpan most)
    {
        await using var proxy = await UpgradableProxy.StartAsync(more: Patient);
        var idle = await ClientsAsync(proxy, clients);
        await Task.Delay(2100); // until they are silent, of which nothing tells
        var began = Stopwatch.GetTimestamp();
        PorticoProcess.Signal(proxy.Process, Signals.Terminate);
        await proxy.EndedAsync();
        output.WriteLine($"over after {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms");
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, most);
        foreach (var client in idle)
        {
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Killed_a_second_into_the_drain_it_has_kept_what_was_seen()
    {
        await using var proxy = await UpgradableProxy.StartAsync(more: Patient);
        var clients = await ClientsAsync(proxy, 30);
        PorticoProcess.Signal(proxy.Process, Signals.Terminate);
        // Busy, so that the drain goes on.
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(1);) await clients[0].EchoAsync(10);
        PorticoProcess.Signal(proxy.Process, Signals.Kill);
        await proxy.GoneAsync();
        await proxy.StartAgainAsync();
        foreach (var client in clients)
        {
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(proxy.Endpoint, client.Hello));
            await client.DisposeAsync();
        }
    }

    [Fact]
    [Trait(Suite.Trait, Suite.Minutes)]
    public async Task After_each_of_a_hundred_kills_under_load_it_serves_again_and_knows_everybody()
    {
        await using var proxy = await UpgradableProxy.StartAsync(more: Patient);
        var (known, times) = (new List<byte[]>(), new List<double>());
        for (var kill = 0; kill < 100; kill++)
        {
            await using (var load = new ConnectLoad(proxy, 200))
            {
                await Task.Delay(300); // clients come meanwhile
                await using var client = await proxy.GreetSoonAsync();
                known.Add(client.Hello);
                await Task.Delay(700); // what is seen is kept within this
                PorticoProcess.Signal(proxy.Process, Signals.Kill);
                await proxy.GoneAsync();
                await load.EndAsync();
                Assert.Equal(0, load.ReplaysAnswered);
            }

            var began = Stopwatch.GetTimestamp();
            await proxy.StartAgainAsync();
            await using (var first = await proxy.GreetSoonAsync()) times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            foreach (var hello in known.TakeLast(20))
                Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(proxy.Endpoint, hello));
        }

        output.WriteLine($"first flight after {times.Order().ElementAt(50):0} ms, at most {times.Max():0} ms");
    }

    private async Task StopAsync(int idle, int busy, TimeSpan afterTheLast)
    {
        await using var proxy = await UpgradableProxy.StartAsync(more: Patient);
        var waiting = await ClientsAsync(proxy, idle);
        await Task.Delay(2100); // until they are silent, of which nothing tells
        var transferring = await ClientsAsync(proxy, busy);
        var last = 0L;
        var transfers = transferring.Select(async (client, number) =>
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(3 + (number % 3));)
                await client.DownloadAsync(4, 65536); // throws when it is cut
            last = Stopwatch.GetTimestamp();
        }).ToList();
        var began = Stopwatch.GetTimestamp();
        PorticoProcess.Signal(proxy.Process, Signals.Terminate);
        foreach (var client in waiting)
        {
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
            await client.DisposeAsync();
        }

        var heard = Stopwatch.GetElapsedTime(began);
        await Task.WhenAll(transfers);
        await proxy.EndedAsync();
        output.WriteLine($"idle clients heard FIN within {heard.TotalMilliseconds:0} ms; "
            + $"over {Stopwatch.GetElapsedTime(last).TotalMilliseconds:0} ms after the last transfer");
        Assert.InRange(heard, TimeSpan.Zero, Soon);
        Assert.InRange(Stopwatch.GetElapsedTime(last), TimeSpan.Zero, afterTheLast);
        foreach (var client in transferring)
        {
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
            await client.DisposeAsync();
        }
    }

    private static async Task<List<FakeClient>> ClientsAsync(UpgradableProxy proxy, int count)
    {
        var clients = new List<FakeClient>();
        for (var i = 0; i < count; i++)
        {
            clients.Add(await proxy.GreetAsync());
            await clients[^1].EchoAsync(100);
        }

        return clients;
    }
}
