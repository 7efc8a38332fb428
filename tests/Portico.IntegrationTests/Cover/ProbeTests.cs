using System.Collections.Concurrent;
using Portico.IntegrationTests.Cover.Probes;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Cover;

/// <summary>A prober sees through the proxy what they see at the cover: every probe, every cover, at the same time from both.</summary>
public sealed class ProbeTests
{
    // Covers with their usual patience: no probe here is about time.
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [ToolFact(NginxCover.Program)]
    public async Task Behind_nginx_every_probe_sees_nginx()
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var proxies = CoveredProxies.Start(cover, everyListener: true);
        await AssertSameAsync(cover, proxies);
    }

    [ToolFact(NginxCover.Program)]
    public async Task Behind_nginx_that_rejects_unknown_names_every_probe_sees_nginx()
    {
        await using var cover = await NginxCover.StartAsync(Long, rejectsOtherNames: true);
        await using var proxies = CoveredProxies.Start(cover);
        await AssertSameAsync(cover, proxies);
    }

    [ToolFact(HaproxyCover.Program)]
    public async Task Behind_HAProxy_every_probe_sees_HAProxy()
    {
        await using var cover = await HaproxyCover.StartAsync(Long);
        await using var proxies = CoveredProxies.Start(cover, everyListener: true);
        await AssertSameAsync(cover, proxies);
    }

    [ToolFact(OpensslCover.Program)]
    public async Task Behind_a_server_that_takes_one_visitor_at_a_time_every_probe_sees_that_server()
    {
        const int Lanes = 18;
        var differences = new ConcurrentBag<string>();
        await Task.WhenAll(ProbeTable.All.Chunk((ProbeTable.All.Length + Lanes - 1) / Lanes).Select(async lane =>
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

    [ToolTheory(NginxCover.Program, HaproxyCover.Program)]
    [InlineData(NginxCover.Program)]
    [InlineData(HaproxyCover.Program)]
    public async Task At_the_connection_limit_every_probe_and_the_next_client_see_the_cover(string program)
    {
        const int Most = 3;
        await using var cover = await StartAsync(program);
        await using var proxies = CoveredProxies.Start(cover, settings => settings with { Listeners = [settings.Listeners[0] with { MaxConnections = Most }] });
        foreach (var (_, proxy) in proxies.All)
        {
            for (var i = 0; i < Most; i++)
                await (await proxy.GreetAsync()).EchoAsync(100);  // held by the proxy until the test ends
        }
        await AssertSameAsync(cover, proxies);

        foreach (var (name, proxy) in proxies.All)
        {
            var hello = HelloBytes.Create(proxy.Secret, CoverServer.Name, (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
            var signed = new Probe("signed", "a good hello above the limit", "", [hello]);
            var prober = await Battery.PrepareAsync(cover.Endpoint, TimeSpan.FromSeconds(1));
            var (direct, through) = (await prober.AskAsync(cover.Endpoint, signed), await prober.AskAsync(proxy.Endpoint, signed));
            Assert.True(through.LooksLike(direct), $"{name}: the cover says [{direct}], here [{through}]");
            await proxy.UntilClosedAsync("connection_limit", "operator");
        }
    }

    /// <summary>The cover's answers and those of every proxy, all asked at the same time.</summary>
    private static async Task AssertSameAsync(CoverServer cover, CoveredProxies proxies)
    {
        var direct = Battery.AskAsync(cover.Endpoint);
        var through = await Task.WhenAll(proxies.All.Select(async item => (item.Name, Battery: await Battery.AskAsync(item.Proxy.Endpoint))));
        var differences = new List<string>();
        foreach (var (name, battery) in through)
            differences.AddRange(battery.DifferencesFrom(await direct).Select(difference => $"{name}: {difference}"));
        Assert.True(differences.Count == 0, $"{differences.Count} of {through.Length * Battery.Size} differ\n{string.Join('\n', differences)}");
    }

    private static async Task<CoverServer> StartAsync(string program) =>
        program == NginxCover.Program ? await NginxCover.StartAsync(Long) : await HaproxyCover.StartAsync(Long);
}
