using System.Diagnostics;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Life;

/// <summary>SIGTERM with clients there, as a container or a service manager sends it.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class StopTests(ITestOutputHelper output) : StopScenes(output)
{
    [Fact]
    public Task Idle_clients_hear_fin_at_once_and_transfers_are_finished_first() =>
        StopAsync(idle: 50, busy: 5, Soon);

    [Fact]
    public Task With_idle_clients_alone_it_is_over_at_once() => IdleAsync(50, Soon);

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

        Output.WriteLine($"first flight after {times.Order().ElementAt(50):0} ms, at most {times.Max():0} ms");
    }
}
