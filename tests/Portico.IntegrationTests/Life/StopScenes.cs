using System.Diagnostics;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Life;

/// <summary>A proxy that is told to stop while clients are there, and what those hear of it.</summary>
public abstract class StopScenes(ITestOutputHelper output)
{
    // Far below the time that the drain may take, and far above what it takes: other tests may run beside it.
    protected static readonly TimeSpan Soon = TimeSpan.FromSeconds(6);

    protected const string Patient = "\"timeouts\": { \"drainSeconds\": 60 },";

    protected ITestOutputHelper Output => output;

    protected async Task IdleAsync(int clients, TimeSpan most)
    {
        await using var proxy = await UpgradableProxy.StartAsync(more: Patient);
        var idle = await ClientsAsync(proxy, clients);
        await Task.Delay(2100); // until they are silent, of which nothing tells
        var began = Stopwatch.GetTimestamp();
        PorticoProcess.Signal(proxy.Process, Signals.Terminate);
        await proxy.EndedAsync();
        Output.WriteLine($"over after {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms");
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, most);
        foreach (var client in idle)
        {
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
            await client.DisposeAsync();
        }
    }

    protected async Task StopAsync(int idle, int busy, TimeSpan afterTheLast)
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
        Output.WriteLine($"idle clients heard FIN within {heard.TotalMilliseconds:0} ms; "
            + $"over {Stopwatch.GetElapsedTime(last).TotalMilliseconds:0} ms after the last transfer");
        Assert.InRange(heard, TimeSpan.Zero, Soon);
        Assert.InRange(Stopwatch.GetElapsedTime(last), TimeSpan.Zero, afterTheLast);
        foreach (var client in transferring)
        {
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
            await client.DisposeAsync();
        }
    }

    private protected static async Task<List<FakeClient>> ClientsAsync(UpgradableProxy proxy, int count)
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
