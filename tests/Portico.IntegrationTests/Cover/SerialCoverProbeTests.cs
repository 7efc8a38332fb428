using System.Collections.Concurrent;
using Portico.IntegrationTests.Cover.Probes;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Cover;

/// <summary>
/// The cover that is easiest to upset: one visitor at a time,
/// and whoever waits waits for the one before to be gone entirely.
/// </summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class SerialCoverProbeTests
{
    // So many servers, each with its proxies, share the probes out; within one they go one after the other.
    private const int Lanes = 18;

    [ToolFact(OpensslCover.Program)]
    public async Task Behind_a_server_that_takes_one_visitor_at_a_time_every_probe_sees_that_server()
    {
        var differences = new ConcurrentBag<string>();
        await Task.WhenAll(ProbeTable.All.Index().GroupBy(row => row.Index % Lanes, row => row.Item).Select(async lane =>
        {
            await using var cover = await OpensslCover.StartAsync();
            await using var proxies = CoveredProxies.Start(cover, settings => settings with { Loops = 1 });
            var prober = await Battery.PrepareAsync(cover.Endpoint, Battery.Quiet);
            foreach (var probe in lane)
            {
                var direct = await prober.AskAsync(cover.Endpoint, probe);
                foreach (var (name, proxy) in proxies.All)
                {
                    var through = await prober.AskAsync(proxy.Endpoint, probe);
                    if (!through.LooksLike(direct))
                        differences.Add($"{name}: {probe}: the cover says [{direct}], here [{through}]");
                }
            }
        }));
        Assert.True(differences.IsEmpty, string.Join('\n', differences.Order()));
    }
}
