using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Portico.Core.Net;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>Telegram's site is not there, or says something new (spec/03 section 1).</summary>
public sealed class WithoutNetworkTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_proxy_without_network_is_up_at_once_and_serves_as_soon_as_there_is_one(EngineKind engine)
    {
        var time = MiddleStage.Clock();
        await using var network = FakeTelegramNetwork.Start([2], time: time);
        await network.Site.StopListeningAsync();
        var clock = Stopwatch.StartNew();
        await using var test = ProxyUnderTest.StartMiddle(
            engine, network,
            settings => settings with { Middle = settings.Middle with { IpLookupServices = [network.Site.AddressUrl] } }, time);
        await using var early = await test.GreetAsync();
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));

        // two rounds of attempts, one warning for each source that is needed
        await test.AdvanceUntilAsync(
            Step, () => Downloads(test, "secret") >= 2 && Downloads(test, "config") >= 2 && Downloads(test, "external_ip") >= 2);
        var warnings = test.Logs.Lines.Where(line => line.Level == LogLevel.Warning).ToArray();
        Assert.Equal(["DownloadFailed", "DownloadFailed", "ExternalAddressFailed"], warnings.Select(line => line.EventName).Order());
        Assert.Single(warnings, line => line.Text.Contains(FakeConfigSite.SecretPath, StringComparison.Ordinal));
        Assert.Single(warnings, line => line.Text.Contains(FakeConfigSite.ConfigPath, StringComparison.Ordinal));

        // The secret first: this list beside the secret of Telegram's own middle proxies leads nowhere.
        var list = network.Site.Set(FakeConfigSite.ConfigPath, SiteReply.Error(503))!;
        network.Site.ListenAgain();
        await test.AdvanceUntilAsync(
            Step, () => test.Metrics.Value("portico_config_updates_total", ("document", "secret"), ("result", "ok")) > 0);
        network.Site.Set(FakeConfigSite.ConfigPath, list);
        await test.AdvanceUntilAsync(Step, () => network.MiddleProxy(2).OpenConnections.Count > 0);
        await using var client = await test.GreetAsync(ClientKind.Abridged.Profile());
        await client.EchoAsync(64);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_that_came_before_the_list_is_served_when_it_comes(EngineKind engine)
    {
        var gate = new Gate(isOpen: false);
        await using var network = FakeTelegramNetwork.Start([2]);
        var list = network.Site.Set(FakeConfigSite.ConfigPath, SiteReply.Error(503))!;
        network.Site.Set(FakeConfigSite.ConfigPath, list with { Gate = gate });
        await using var test = ProxyUnderTest.StartMiddle(engine, network);
        await using var client = await test.GreetAsync();
        await client.SendHeaderAsync();
        await test.Metrics.UntilAsync("portico_protocol_ok_total", 1);
        await test.SettleAsync();
        gate.Open();
        await client.EchoAsync(64);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task The_copy_of_an_earlier_run_serves_while_the_site_is_down(EngineKind engine)
    {
        var kept = Directory.CreateTempSubdirectory("portico-test-");
        await using var network = FakeTelegramNetwork.Start([2]);
        await using (var first = ProxyUnderTest.StartMiddle(engine, network, settings => settings with { DataDirectory = kept.FullName }))
        {
            await first.Metrics.UntilAsync("portico_config_updates_total", 3);
            await first.UntilLinksAsync(1);
        }
        await network.Site.StopListeningAsync();
        await using (var second = ProxyUnderTest.StartMiddle(engine, network, settings => settings with { DataDirectory = kept.FullName }))
        {
            await using var client = await second.GreetAsync();
            await client.EchoAsync(64);
            Assert.Equal(0, second.Metrics.Value("portico_config_updates_total", ("result", "ok")));
        }
        kept.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_new_data_centre_gets_links_and_sessions_are_left_alone(EngineKind engine)
    {
        var time = MiddleStage.Clock();
        await using var network = FakeTelegramNetwork.Start([2], time: time);
        await using var test = ProxyUnderTest.StartMiddle(
            engine, network, settings => settings with { Middle = settings.Middle with { Refresh = TimeSpan.FromSeconds(10) } }, time);
        await test.UntilLinksAsync(1);
        await using var client = await test.GreetAsync();
        await client.EchoAsync(64);
        var links = network.MiddleProxy(2).Connections.Count;
        var added = network.Add(4);
        await test.AdvanceUntilAsync(Step, () => added.OpenConnections.Count > 0);
        await client.EchoAsync(64);
        Assert.Equal(links, network.MiddleProxy(2).Connections.Count);
        await using var other = await test.GreetAsync(ClientKind.FakeTls.Profile() with { Dc = 4 });
        await other.EchoAsync(64);
        Assert.Single(added.Requests);

        // and one that is named no more goes on for those who are there
        network.Retire(network.MiddleProxy(2));
        var asked = network.Site.CountOf(FakeConfigSite.ConfigPath);
        await test.AdvanceUntilAsync(Step, () => network.Site.CountOf(FakeConfigSite.ConfigPath) > asked + 1);
        await client.EchoAsync(64);
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total"));
    }

    private static double Downloads(ProxyUnderTest test, string document) =>
        test.Metrics.Value("portico_config_updates_total", ("document", document));
}
