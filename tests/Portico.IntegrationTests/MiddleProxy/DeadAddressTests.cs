using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>One of a data centre's two middle proxies is dead, each in its own way, while links to the other rotate.</summary>
public sealed class DeadAddressTests(ITestOutputHelper output)
{
    private const int Connects = 400, AtATime = 4;
    private const double MostMs = 1000;

    // A link that dies younger than two seconds counts as a failed attempt, which a rotation is not. The proxy takes part in
    // this machine's stalls, so there is something to spare.
    private static readonly TimeSpan Rotation = TimeSpan.FromMilliseconds(2500);

    // So that some of them meet each rotation.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(80);

    public enum Death
    {
        Refuses,
        MuteAfterAccept,
        SwallowsSyns,
    }

    [Theory]
    [Trait(Suite.Trait, Suite.Long)]
    [InlineData(EngineKind.Epoll, Death.Refuses)]
    [InlineData(EngineKind.Epoll, Death.MuteAfterAccept)]
    [InlineData(EngineKind.Epoll, Death.SwallowsSyns)]
    [InlineData(EngineKind.Sockets, Death.Refuses)]
    [InlineData(EngineKind.Sockets, Death.MuteAfterAccept)]
    [InlineData(EngineKind.Sockets, Death.SwallowsSyns)]
    public async Task Nobody_waits_longer_than_a_second_while_one_address_works_and_links_rotate(EngineKind engine, Death death)
    {
        // Once more where the machine may have had other things to do: what the proxy does wrong it does again.
        var longest = await LongestWaitAsync(engine, death);
        if (longest > MostMs) longest = await LongestWaitAsync(engine, death);
        Assert.InRange(longest, 0, MostMs);
    }

    private async Task<double> LongestWaitAsync(EngineKind engine, Death death)
    {
        await using var network = FakeTelegramNetwork.Start([2]);
        await using var deaf = await UnansweredEndpoint.StartAsync();
        await NameBothAsync(network, death, deaf.Endpoint);
        await using var test = ProxyUnderTest.StartMiddle(engine, network);
        await test.UntilLinksAsync(1);

        using var over = new CancellationTokenSource();
        var rotating = RotateAsync(network.MiddleProxy(2), over.Token);
        var (left, cut) = (Connects, 0);
        var waits = await Task.WhenAll(Enumerable.Range(0, AtATime).Select(async _ =>
        {
            var own = new List<double>();
            while (Interlocked.Decrement(ref left) >= 0)
            {
                var (ms, isServed) = await VisitAsync(test);
                own.Add(ms);
                if (!isServed) Interlocked.Increment(ref cut);
                await Task.Delay(Pause);
            }

            return own;
        }));
        await over.CancelAsync();
        await rotating;

        var all = waits.SelectMany(own => own).Order().ToArray();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{engine}, {death}: {all.Length} connects, longest {all[^1]:0} ms, p99 {all[all.Length * 99 / 100]:0} ms, "
            + $"{cut} cut with their link"));
        // Whose question was under way when its link ended is closed at once, and so is who had the answer this very moment
        // and was about to hang up; nobody is closed for want of a link.
        Assert.Equal(0, test.Metrics.Value("portico_connections_closed_total", ("reason", "pool_empty")));
        Assert.InRange(test.Metrics.Value("portico_connections_closed_total", ("reason", "mid_send")), cut, cut + AtATime);
        return all[^1];
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Where_IPv4_is_dead_and_IPv6_alive_the_first_client_is_served_within_a_second(EngineKind engine)
    {
        if (!Socket.OSSupportsIPv6) return;
        await using var network = FakeTelegramNetwork.Start([]);
        var alive = network.Add(2, address: IPAddress.IPv6Loopback);
        await using var deaf = await UnansweredEndpoint.StartAsync();
        network.Site.Publish(new ProxyConfigDocument(2, [((short)2, deaf.Endpoint)]));
        await using var test = ProxyUnderTest.StartMiddle(
            engine, network, settings => settings with { Middle = settings.Middle with { InitialConnections = 0 } });
        await test.Network.Site.UntilAsync(site => site.CountOf(FakeConfigSite.ConfigV6Path) > 0);
        await test.SettleAsync();
        var (ms, isServed) = await VisitAsync(test);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{engine}: {ms:0} ms"));
        Assert.True(isServed);
        Assert.InRange(ms, 0, MostMs);
        Assert.NotEmpty(alive.Connections);
    }

    private static async Task NameBothAsync(FakeTelegramNetwork network, Death death, IPEndPoint deaf)
    {
        var silent = new MiddleBehaviour { FailsAt = MiddleStep.Accepted, Fault = MiddleFault.Silence };
        if (death == Death.Refuses) await network.Add(2).StopListeningAsync();
        else if (death == Death.MuteAfterAccept) network.Add(2, silent);
        else network.Site.Publish(new ProxyConfigDocument(2, [((short)2, deaf), ((short)2, network.MiddleProxy(2).Endpoint)]));
    }

    private static async Task RotateAsync(FakeMiddleProxy alive, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            await alive.UntilAsync(it => it.OpenConnections.Count > 0);
            var grown = alive.OpenConnections;
            await Task.Delay(Rotation, CancellationToken.None);
            await Task.WhenAll(grown.Select(link => link.EndAsync()));
        }
    }

    // From the first byte until the answer to a question, or until it is told to come again.
    private static async Task<(double Ms, bool IsServed)> VisitAsync(ProxyUnderTest test)
    {
        var began = Stopwatch.GetTimestamp();
        var isServed = true;
        try
        {
            await using var client = await test.GreetAsync(ClientKind.Secure.Profile());
            await client.EchoAsync(64);
        }
        catch (Exception error) when (error is SocketException or PeerSurpriseException)
        {
            isServed = false;
        }

        return (Stopwatch.GetElapsedTime(began).TotalMilliseconds, isServed);
    }
}
