using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.IntegrationTests.Commands;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Hostile;

/// <summary>As many connections as this machine can make, none of them meant well.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
[Collection(nameof(Siege))]
public sealed class FloodTests(ITestOutputHelper output)
{
    private const int Attackers = 2;

    // The runtime may keep threads that it started for the flood, with two descriptors each; a leak would be thousands.
    private const int MostThreads = 4;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(Siege.IsSlow ? 10 : 2);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_flood_of_connections_keeps_no_client_out_and_leaves_nothing_behind(EngineKind engine)
    {
        await using var proxy = await ProxyProcess.StartAsync(engine);
        await proxy.ServeAsync();
        await FloodAsync(proxy.Endpoint, TimeSpan.FromSeconds(0.3));
        await proxy.ServeAsync();
        var (descriptors, memory) = (await proxy.BaseDescriptorsAsync(), proxy.ResidentBytes);

        var served = 0;
        var watch = Stopwatch.StartNew();
        var flood = FloodAsync(proxy.Endpoint, Duration);
        while (!flood.IsCompleted)
        {
            await proxy.ServeAsync();
            served++;
        }
        var connections = await flood;
        output.WriteLine($"{connections / watch.Elapsed.TotalSeconds:0} connections a second, {served} clients served meanwhile");
        Assert.True(served > 0 && connections > 0);

        await proxy.ServeAsync();
        output.WriteLine($"descriptors before {descriptors}, now {proxy.Descriptors}");
        await proxy.UntilDescriptorsAsync(count => count <= descriptors + MostThreads * 2);
        output.WriteLine($"memory before {memory / 1024} KB, after {proxy.ResidentBytes / 1024} KB");
        Assert.InRange(proxy.ResidentBytes, 0, memory + MostMemoryLeft(engine));
        var (code, _, errors) = await proxy.StopAsync();
        Assert.Equal(0, code);
        Assert.DoesNotContain("fail:", errors, StringComparison.Ordinal);
    }

    // What a collector that is in no hurry may keep of a flood, in bytes; it does not grow with the number
    // of connections. The portable engine leaves sockets and their arguments to finalizers:
    // over 400 000 connections its memory went up and down between 90 and 155 MB.
    private static long MostMemoryLeft(EngineKind engine) => (engine == EngineKind.Epoll ? 32 : 160) * 1024 * 1024;

    private static async Task<int> FloodAsync(IPEndPoint endpoint, TimeSpan duration)
    {
        var counts = await Task.WhenAll(Enumerable.Range(0, Attackers)
            .Select(number => Task.Factory.StartNew(() => Attack(endpoint, duration, number), TaskCreationOptions.LongRunning)));
        return counts.Sum();
    }

    /// <summary>Blocking calls on a thread of its own: the dearest part of a connection shall be the proxy's.</summary>
    private static int Attack(IPEndPoint endpoint, TimeSpan duration, int seed)
    {
        var random = new Random(seed);
        var garbage = new byte[700];
        var count = 0;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < duration; count++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Connect(endpoint);
                if (count % 2 == 0)
                {
                    random.NextBytes(garbage);
                    socket.Send(garbage.AsSpan(0, random.Next(1, garbage.Length)));
                }
                if (count % 4 < 2)
                    socket.LingerState = new LingerOption(true, 0);  // RST
            }
            catch (SocketException)
            {
                // the proxy was done with it first, or this machine has no port left
            }
        }
        return count;
    }
}
