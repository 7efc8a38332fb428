using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using Portico.IntegrationTests.Cover.Probes;
using Portico.IntegrationTests.Hostile;
using Portico.TestKit.Covers;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Cover;

/// <summary>
/// How long a server waits for the rest of a hello tells servers apart:
/// it is the cover's patience that shows, whatever ours is. Alone on the machine.
/// </summary>
[Collection(nameof(Siege))]
[Trait(Suite.Trait, Suite.Long)]
public sealed class CloseTimeTests(ITestOutputHelper output)
{
    // What a prober who repeats cannot tell from the network's own: the requirement.
    private static readonly TimeSpan MostDifference = TimeSpan.FromMilliseconds(200);

    // More than what is left of a hello at the slower pace below.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private static readonly byte[] Hello = new ProbeHello().ToRecord();

    private static readonly ImmutableArray<Slow> Probes =
    [
        new("nothing", []),
        new("one byte", [0x16]),
        new("the first 100 bytes of a hello", Hello[..100]),
        new("one byte that may be of any protocol", [0x47]),
        new("a hello, a byte every 4 s", Hello, TimeSpan.FromSeconds(4)),
        new("a hello, a byte every 0.9 s", Hello, TimeSpan.FromSeconds(0.9)),
        new("a hello, a byte every 0.3 s", Hello, TimeSpan.FromSeconds(0.3)),
    ];

    [ToolFact(NginxCover.Program, HaproxyCover.Program)]
    public async Task A_stranger_who_says_too_little_is_borne_as_long_as_the_cover_bears_it()
    {
        await CompareAsync(nginx: TimeSpan.FromSeconds(5), haproxy: TimeSpan.FromSeconds(7));
        if (Siege.IsSlow)
            await CompareAsync(nginx: TimeSpan.FromSeconds(60), haproxy: TimeSpan.FromSeconds(30)); // what both are usually set to
    }

    private Task CompareAsync(TimeSpan nginx, TimeSpan haproxy) => Task.WhenAll(
        AssertSameTimesAsync(async () => await NginxCover.StartAsync(nginx)),
        AssertSameTimesAsync(async () => await HaproxyCover.StartAsync(haproxy)));

    private async Task AssertSameTimesAsync(Func<Task<CoverServer>> start)
    {
        await using var cover = await start();
        await using var proxies = CoveredProxies.Start(cover, everyListener: true);
        var differences = await DifferencesAsync(cover, proxies, Probes);
        // A machine that stalls for a moment is not the proxy's doing. A prober asks more than once, too.
        for (var again = 0; again < 3 && !differences.IsEmpty; again++)
            differences = await DifferencesAsync(cover, proxies, [.. differences.Select(difference => difference.Probe)]);
        Assert.True(differences.IsEmpty, string.Join('\n', differences.Select(difference => difference.Times)));
    }

    private async Task<ImmutableArray<(Slow Probe, string Times)>> DifferencesAsync(
        CoverServer cover, CoveredProxies proxies, ImmutableArray<Slow> probes)
    {
        var all = await Task.WhenAll(probes.Select(async probe =>
        {
            var asked = TimeAsync(cover.Endpoint, probe);
            var through = await Task.WhenAll(
                proxies.All.Select(async item => (item.Name, Time: await TimeAsync(item.Proxy.Endpoint, probe))));
            var direct = await asked;
            var times = $"{probe.Name}: {direct}; {string.Join("; ", through.Select(item => $"{item.Name}: {item.Time}"))}";
            output.WriteLine(times);
            return (Probe: probe, Times: times, IsSame: through.All(item => item.Time.LooksLike(direct, probe)));
        }));
        return [.. all.Where(item => !item.IsSame).Select(item => (item.Probe, item.Times))];
    }

    private static async Task<Ended> TimeAsync(IPEndPoint endpoint, Slow probe)
    {
        await using var wire = await Wire.ConnectAsync(endpoint);
        var watch = Stopwatch.StartNew();
        var answer = wire.ReadToEndAsync(Patience);
        if (probe.Pause is { } pause)
        {
            using var pace = new PeriodicTimer(pause);  // the pace is what is tested
            for (var sent = 0; !answer.IsCompleted && sent < probe.Bytes.Length; sent++)
            {
                await wire.TrySendAsync(probe.Bytes.AsMemory(sent, 1));
                await Task.WhenAny(answer, pace.WaitForNextTickAsync().AsTask());
            }
        }
        else
        {
            await wire.TrySendAsync(probe.Bytes);
        }
        var end = await answer;
        return new Ended(end.End, watch.Elapsed, end.Bytes.Length);
    }

    private sealed record Slow(string Name, byte[] Bytes, TimeSpan? Pause = null);

    private sealed record Ended(PeerEnd End, TimeSpan After, int Count)
    {
        // A byte that is on its way when the server closes makes a RST of its FIN, from the cover as from us: at a pace either may come.
        public bool LooksLike(Ended cover, Slow probe) =>
            Count == cover.Count && End != PeerEnd.Timeout && (End == cover.End || probe.Pause is not null)
            && (After - cover.After).Duration() <= MostDifference;

        public override string ToString() => $"{Count} bytes, {End} after {After.TotalSeconds:0.00} s";
    }
}
