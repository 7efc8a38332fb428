using System.Diagnostics;
using Portico.Core.Net;
using Portico.IntegrationTests.Commands;
using Portico.IntegrationTests.Hostile;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Cover;

/// <summary>Very many hellos that come a byte at a time, each of which occupies a connection of the cover too.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
[Collection(nameof(Siege))]
[Trait(Suite.Trait, Suite.Long)]
public sealed class SlowStrangersTests(ITestOutputHelper output)
{
    private const int Strangers = 5000;
    private const int Connecting = 100;

    // Descriptors that clients of ours cannot take are free for strangers.
    private const int Clients = 1000;

    private const int OrdinaryAtATime = 4;

    // The test's own sockets, and some for everything else in this process.
    private const int SpareDescriptors = 1000;

    // What somebody may cost who says nothing for long: a session, two channels,
    // a pooled handshake with a buffer of 4 KB, and what the collector leaves lying.
    private const long MostBytesEach = 16 * 1024;
    private const long MostBytesBesides = 32 * 1024 * 1024;

    private static readonly TimeSpan MostWait = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(4);

    private static readonly int Rounds = Siege.IsSlow ? 15 : 2;

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Five_thousand_slow_strangers_keep_no_client_waiting(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(TimeSpan.FromSeconds(60));
        await using var proxy = await ProxyProcess.StartAsync(engine, variables: new()
        {
            ["PORTICO__Cover__Mode"] = "fixed",
            ["PORTICO__Cover__Target"] = $"{cover.Endpoint}",
            ["PORTICO__Cover__MaxConnections"] = $"{Strangers}",
            ["PORTICO__Listeners__0__MaxConnections"] = $"{Clients}",
        });
        await proxy.ServeAsync();
        var count = Math.Min(Strangers, DescriptorsOf.Limit() - DescriptorsOf.ThisProcess() - SpareDescriptors);
        var before = proxy.ResidentBytes;
        var hello = HelloBytes.Create(proxy.Secret, CoverServer.Name, (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

        var strangers = new List<Wire>();
        while (strangers.Count < count)
            strangers.AddRange(await Task.WhenAll(
                Enumerable.Range(0, Math.Min(Connecting, count - strangers.Count)).Select(_ => Wire.ConnectAsync(proxy.Endpoint))));
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, OrdinaryAtATime).Select(_ => VisitAsync(proxy, stop.Token)).ToList();
        var (closed, most) = (0, 0L);
        using var pace = new PeriodicTimer(Pace);  // the pace is what is tested
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < strangers.Count; i++)
            {
                if (await strangers[i].TrySendAsync(hello.AsMemory(round, 1)))
                    continue;
                // Whoever was put out to make room comes back, as an attacker would.
                closed++;
                await strangers[i].DisposeAsync();
                strangers[i] = await Wire.ConnectAsync(proxy.Endpoint);
            }
            await pace.WaitForNextTickAsync();
            most = Math.Max(most, proxy.ResidentBytes);
        }
        await stop.CancelAsync();
        var waits = (await Task.WhenAll(clients)).SelectMany(times => times).Order().ToList();

        var worst = waits[waits.Count * 99 / 100];
        output.WriteLine($"{strangers.Count} strangers of {Strangers} (limit of {DescriptorsOf.Limit()} descriptors), "
            + $"{closed} put out; {waits.Count} clients: median {waits[waits.Count / 2].TotalMilliseconds:0.0} ms, "
            + $"p99 {worst.TotalMilliseconds:0.0} ms, longest {waits[^1].TotalMilliseconds:0.0} ms");
        output.WriteLine($"memory {before / 1024} KB, with strangers {most / 1024} KB: {(most - before) / strangers.Count} bytes each");
        Assert.True(waits.Count >= 100, $"only {waits.Count} clients were served");
        Assert.InRange(worst, TimeSpan.Zero, MostWait);
        Assert.InRange(most, 0, before + MostBytesBesides + strangers.Count * MostBytesEach);

        foreach (var stranger in strangers)
            await stranger.DisposeAsync();
        var (code, _, errors) = await proxy.StopAsync();
        Assert.Equal(0, code);
        Assert.DoesNotContain("fail:", errors, StringComparison.Ordinal);
    }

    /// <summary>Ordinary clients, one after the other: how long each took from connecting to its first answer from Telegram.</summary>
    private static async Task<List<TimeSpan>> VisitAsync(ProxyProcess proxy, CancellationToken stop)
    {
        var times = new List<TimeSpan>();
        while (!stop.IsCancellationRequested)
        {
            var watch = Stopwatch.StartNew();
            await using var client = await proxy.GreetAsync();
            await client.EchoAsync(100);
            times.Add(watch.Elapsed);
            await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(20), stop));  // ordinary, not another attack
        }
        return times;
    }
}
