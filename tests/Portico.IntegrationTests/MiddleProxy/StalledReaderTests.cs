using System.Diagnostics;
using System.Globalization;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.IntegrationTests.Hostile;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram.Middle;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>
/// 200 clients download over one link while a client beside them stops
/// reading again and again (spec/03 section 8). Alone, because it measures.
/// </summary>
[Collection(nameof(Siege))]
public sealed class StalledReaderTests(ITestOutputHelper output)
{
    private const int Clients = 200, FrameSize = 16 * 1024;

    // Above a client's own 3 MiB, below the 9.2 MB of the link, kernel buffers not counted.
    private const uint StalledFrames = 130;
    private const int StalledFrameSize = 65536, LittleRoom = 4096;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_that_stops_reading_costs_200_others_on_its_link_nothing(EngineKind engine)
    {
        await using var test = ProxyUnderTest.StartMiddle(
            engine,
            settings => settings with { Loops = 1, Middle = settings.Middle with { BackPressure = BackPressureSettings.For(300) } },
            new MiddleBehaviour { IsForgetful = true });
        await test.UntilLinksAsync(1);
        var clients = new List<FakeClient>();
        for (var i = 0; i < Clients; i++)
            clients.Add(await test.GreetAsync(ClientKind.FakeTls.Profile()));
        var length = Siege.IsSlow ? TimeSpan.FromSeconds(4) : TimeSpan.FromSeconds(1);
        await DownloadAsync(clients, length); // code and windows are warm

        var ratios = new List<double>();
        for (var pair = 0; pair < (Siege.IsSlow ? 5 : 1); pair++)
        {
            var without = await DownloadAsync(clients, length);
            using var over = new CancellationTokenSource();
            var stalled = StallAsync(test, over.Token);
            var with = await DownloadAsync(clients, length);
            await over.CancelAsync();
            Assert.InRange(await stalled, 1, int.MaxValue);
            ratios.Add(with / without);
        }

        // The link was never held up, nor lost, and nobody else was closed.
        Assert.Equal(0, test.Metrics.Value("portico_dc_backpressure_total"));
        Assert.Single(test.Fake().Connections);
        Assert.Equal(0, test.Metrics.Value("portico_migrations_total"));
        foreach (var client in clients)
            await client.EchoAsync(64);
        await clients.DisposeAllAsync();

        // A single second on a busy machine says nothing of latency; `./check --slow` takes the median of five longer pairs.
        output.WriteLine("p99 with a stalled client over p99 without: "
            + $"{string.Join(", ", ratios.Select(ratio => ratio.ToString("0.00", CultureInfo.InvariantCulture)))}");
        if (Siege.IsSlow)
            Assert.InRange(ratios.Order().ElementAt(ratios.Count / 2), 0, 1.5);
    }

    // The 99th percentile of one download.
    private static async Task<double> DownloadAsync(List<FakeClient> clients, TimeSpan length)
    {
        var begin = Stopwatch.GetTimestamp();
        var times = await Task.WhenAll(clients.Select(async client =>
        {
            var own = new List<double>();
            while (Stopwatch.GetElapsedTime(begin) < length)
            {
                var asked = Stopwatch.GetTimestamp();
                await client.DownloadAsync(1, FrameSize);
                own.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }
            return own;
        }));
        var all = times.SelectMany(own => own).Order().ToList();
        return all[all.Count * 99 / 100];
    }

    // One after the other: asks for much, reads nothing, is closed for it.
    // Returns how many there were. What is owed to it stays below the link's limit.
    private static async Task<int> StallAsync(ProxyUnderTest test, CancellationToken over)
    {
        for (var count = 1; ; count++)
        {
            var (closed, before) = (test.Metrics.Value("portico_connections_closed_total", ("reason", "client_queue_limit")), Held(test));
            await using var client = await test.GreetAsync(ClientKind.FakeTls.Profile(), LittleRoom);
            await client.AskForAsync(StalledFrames, StalledFrameSize);
            while (test.Metrics.Value("portico_connections_closed_total", ("reason", "client_queue_limit")) == closed)
            {
                Assert.InRange(
                    Held(test) - before, double.MinValue, BackPressureSettings.For(300).BytesTotal + (Clients * (FrameSize + 1024)));
                if (over.IsCancellationRequested)
                    return count;
                await Task.Delay(20, CancellationToken.None);
            }
        }
    }

    // Bytes that came from Telegram and did not go on to a client: those that wait, and those that were thrown away with earlier clients.
    private static double Held(ProxyUnderTest test) =>
        test.Metrics.Value("portico_dc_received_bytes_total") - test.Metrics.Value("portico_client_sent_bytes_total");
}
