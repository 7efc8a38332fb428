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

    [ToolTheory(NginxCover.Program, HaproxyCover.Program)]
    [InlineData(NginxCover.Program)]
    [InlineData(HaproxyCover.Program)]
    public async Task At_the_connection_limit_every_probe_and_the_next_client_see_the_cover(string program)
    {
        const int Most = 3;
        await using var cover = await StartAsync(program);
        await using var proxies = CoveredProxies.Start(
            cover, settings => settings with { Listeners = [settings.Listeners[0] with { MaxConnections = Most }] });
        var inside = new List<FakeClient>();
        foreach (var (_, proxy) in proxies.All)
        {
            for (var i = 0; i < Most; i++)
            {
                inside.Add(await proxy.GreetAsync());
                await inside[^1].EchoAsync(100);
            }
        }
        await AssertSameAsync(cover, proxies);

        foreach (var (name, proxy) in proxies.All)
        {
            var hello = HelloBytes.Create(proxy.Secret, CoverServer.Name, (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
            var signed = new Probe("signed", "a good hello above the limit", "", [hello]);
            var prober = await Battery.PrepareAsync(cover.Endpoint, TimeSpan.FromSeconds(1));
            var (direct, through) = (await prober.AskAsync(cover.Endpoint, signed), await prober.AskAsync(proxy.Endpoint, signed));
            Assert.True(through.LooksLike(direct), $"{name}: the cover says [{direct}], here [{through}]");
        }
        foreach (var client in inside)
        {
            await client.EchoAsync(100);
            await client.DisposeAsync();
        }
    }

    /// <summary>The cover's answers and those of every proxy, all asked at the same time.</summary>
    private static async Task AssertSameAsync(CoverServer cover, CoveredProxies proxies)
    {
        var direct = Battery.AskAsync(cover.Endpoint);
        var through = await Task.WhenAll(
            proxies.All.Select(async item => (item.Name, Battery: await Battery.AskAsync(item.Proxy.Endpoint))));
        var differences = new List<string>();
        foreach (var (name, battery) in through)
            differences.AddRange(
                battery.DifferencesFrom(await direct, ProbeTable.EndedByChance(cover)).Select(difference => $"{name}: {difference}"));
        Assert.True(
            differences.Count == 0,
            $"{differences.Count} of {through.Length * Battery.Size} differ\n{string.Join('\n', differences)}");
    }

    private static async Task<CoverServer> StartAsync(string program) =>
        program == NginxCover.Program ? await NginxCover.StartAsync(Long) : await HaproxyCover.StartAsync(Long);
}
