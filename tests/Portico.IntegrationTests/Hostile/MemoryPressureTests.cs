using System.Diagnostics;
using Portico.Core.Background;
using Portico.Core.Net;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Hostile;

/// <summary>Hundreds of clients that ask for much and read nothing, where memory is short.</summary>
[Collection(nameof(Siege))]
[Trait(Suite.Trait, Suite.Long)]
public sealed class MemoryPressureTests(ITestOutputHelper output)
{
    private const int Deaf = 400;
    private const int AtATime = 25;
    private const int Innocent = 3;
    private const int FrameSize = 65536;
    private const uint Asked = 64;

    // What they can make us hold is several times as much: 64 KB each in our buffers, and the kernel's besides.
    private const long Limit = 32 * 1024 * 1024;

    private static readonly TimeSpan MostUntilNormal = TimeSpan.FromSeconds(10), MostUntilShort = TimeSpan.FromSeconds(60);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Hundreds_of_deaf_clients_fill_the_memory_and_ten_seconds_later_all_is_well(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine);
        var proxy = besieged.Proxy;
        var governor = proxy.Proxy.Services.Memory;
        var (most, highest) = (0L, MemoryLevel.Normal);
        governor.Source = () =>
        {
            var held = Held(besieged);
            most = Math.Max(most, held);
            return new MemoryFigures(held, Limit, "the test");
        };

        var innocent = new List<FakeClient>();
        for (var i = 0; i < Innocent; i++) innocent.Add(await proxy.GreetAsync());
        using var stop = new CancellationTokenSource();
        var downloads = innocent.Select(client => DownloadAsync(client, stop.Token)).ToList();
        // All come first: from 95 % on whoever comes is a stranger.
        var deaf = new List<FakeClient>();
        while (deaf.Count < Deaf)
            deaf.AddRange(await Task.WhenAll(Enumerable.Range(0, AtATime).Select(_ => proxy.GreetAsync(receiveBuffer: 4096))));
        await Task.WhenAll(deaf.Select(client => client.AskForAsync(Asked, FrameSize)));

        // All have asked. On a loaded machine it takes seconds until what they do not take has come.
        using var patience = new CancellationTokenSource(MostUntilShort);
        while (highest == MemoryLevel.Normal && !patience.IsCancellationRequested)
        {
            await Task.Delay(10); // the governor looks by the clock of the machine
            if (governor.Level > highest) highest = governor.Level;
        }

        var watch = Stopwatch.StartNew();
        while (governor.Level != MemoryLevel.Normal && watch.Elapsed < 2 * MostUntilNormal)
        {
            if (governor.Level > highest) highest = governor.Level;
            await Task.Delay(10); // likewise
        }

        watch.Stop();
        await stop.CancelAsync();
        var downloaded = (await Task.WhenAll(downloads)).Sum();
        var shed = proxy.Metrics.Value("portico_connections_closed_total", ("reason", "memory_pressure"));
        output.WriteLine(
            $"{engine}: {Deaf} deaf clients, most held {most / 1024} KB of {Limit / 1024} KB, highest level {highest}, "
            + $"normal again after {watch.Elapsed.TotalSeconds:0.0} s, {shed} let go, {downloaded} frames to innocent clients meanwhile");

        Assert.NotEqual(MemoryLevel.Normal, highest);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, MostUntilNormal);
        Assert.InRange(shed, 1, Deaf);
        Assert.True(downloaded > 0);
        foreach (var client in innocent)
        {
            await client.EchoAsync(1000);
            await client.DisposeAsync();
        }

        foreach (var client in deaf) await client.DisposeAsync();
        await proxy.UntilEmptyAsync();
        await besieged.AssertUnharmedAsync();
    }

    // What sessions rent, and what the kernel keeps for their peers.
    private static long Held(Besieged besieged) => besieged.Proxy.Proxy.Engine.Loops.Sum(loop =>
    {
        var asked = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() => asked.SetResult(
            loop.Buffers.Rented + loop.Slots.Open().Sum(channel => Math.Max(0, channel.UnacknowledgedBytes()))));
        return asked.Task.WaitAsync(Wire.Patience).GetAwaiter().GetResult();
    });

    private static async Task<int> DownloadAsync(FakeClient client, CancellationToken stop)
    {
        var frames = 0;
        while (!stop.IsCancellationRequested)
        {
            await client.DownloadAsync(4, FrameSize);
            frames += 4;
        }

        return frames;
    }
}
