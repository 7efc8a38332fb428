using Portico.Core.Net;
using Portico.IntegrationTests.Cover.Probes;
using Portico.IntegrationTests.Hostile;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Cover;

/// <summary>Load must not show what stands before the cover.</summary>
[Trait(Suite.Trait, Suite.Long)]
[Collection(nameof(Siege))]
public sealed class CrowdTests(ITestOutputHelper output)
{
    private const int Crowd = 2000;

    // For each prober: its own socket and the proxy's two, which are all in this process.
    private const int DescriptorsEach = 3;

    private const int SpareDescriptors = 1000;

    // Descriptors that clients of ours cannot take are free for strangers.
    private const int Clients = 100;

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    // A crowd's answers come late.
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(4);

    // All of theirs are here by then; only an end that should not be would still come.
    private static readonly TimeSpan Answered = TimeSpan.FromSeconds(1);

    [ToolTheory(NginxCover.Program, HaproxyCover.Program)]
    [MemberData(nameof(EveryCover))]
    public async Task With_two_thousand_probes_under_way_every_probe_sees_the_cover(EngineKind engine, string program)
    {
        await using CoverServer cover =
            program == NginxCover.Program ? await NginxCover.StartAsync(Long) : await HaproxyCover.StartAsync(Long);
        var direct = await Battery.AskAsync(cover.Endpoint, TimeSpan.FromSeconds(2));
        var byChance = ProbeTable.EndedByChance(cover);
        var open = ProbeTable.All.Where(probe => direct.Answers[probe.Id].End == PeerEnd.Timeout && !byChance.Contains(probe.Id)).ToList();

        await using var proxy = ProxyUnderTest.Start(engine, settings => settings with
        {
            Cover = cover.Settings,
            Listeners = [settings.Listeners[0] with { MaxConnections = Clients }],
        });
        var crowd = Math.Min(
            Math.Min(Crowd, proxy.Proxy.Cover.Budget.Most - 2 * Battery.Size),
            (DescriptorsOf.Limit() - SpareDescriptors) / DescriptorsEach);
        output.WriteLine($"{crowd} probes under way of {open.Count} kinds; "
            + $"limit {DescriptorsOf.Limit()} descriptors, {proxy.Proxy.Cover.Budget.Most} strangers");
        var prober = (await Battery.PrepareAsync(cover.Endpoint, Answered)) with { Quiet = Wire.Patience };
        var questions = await Task.WhenAll(
            Enumerable.Range(0, crowd).Select(number => prober.BeginAsync(proxy.Endpoint, open[number % open.Count])));
        await proxy.Metrics.UntilAsync("portico_connections", crowd, ("state", "cover"));

        var differences = (await Battery.AskAsync(proxy.Endpoint, Busy)).DifferencesFrom(direct, byChance).ToList();
        await proxy.Metrics.UntilAsync("portico_connections", crowd, ("state", "cover"));
        foreach (var (probe, answer) in await Task.WhenAll(
            questions.Select(async question => (question.Probe, await question.AnswerAsync(Answered)))))
        {
            if (!answer.LooksLike(direct.Answers[probe.Id]))
                differences.Add($"in the crowd: {probe}: the cover says [{direct.Answers[probe.Id]}], here [{answer}]");
        }
        foreach (var question in questions)
            await question.DisposeAsync();
        Assert.True(differences.Count == 0, $"{differences.Count} differ\n{string.Join('\n', differences.Take(100))}");
    }

    // A quarter of a minute each: the portable engine has its turn with `./check --slow`, or where there is no other.
    public static TheoryData<EngineKind, string> EveryCover
    {
        get
        {
            var rows = new TheoryData<EngineKind, string>();
            foreach (var engine in Siege.IsSlow ? Engines.Kinds : Engines.Kinds[..1])
            {
                rows.Add(engine, NginxCover.Program);
                rows.Add(engine, HaproxyCover.Program);
            }
            return rows;
        }
    }
}
