using System.Net;
using Portico.Core.Cover.Learning;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Statistics;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Cover.Learning;

/// <summary>Flights of a proxy beside those of the real server that it was told to look like, hello by hello.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class RealCoverTests(ITestOutputHelper output)
{
    // An ECDSA signature in DER has 70 to 72 bytes; one in 500 has fewer, so a single comparison may be further off.
    private const int Tolerance = 2, Attempts = 3;

    private const int Flights = 300, AtATime = 25;

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Beside_nginx_every_offer_gets_the_same_answer(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(TimeSpan.FromSeconds(60));
        await CompareAsync(engine, cover.Endpoint);
    }

    [ToolTheory(HaproxyCover.Program)]
    [InlineData(EngineKind.Sockets)]
    public async Task Beside_HAProxy_every_offer_gets_the_same_answer(EngineKind engine)
    {
        await using var cover = await HaproxyCover.StartAsync(TimeSpan.FromSeconds(60));
        await CompareAsync(engine, cover.Endpoint);
    }

    [ToolTheory(OpensslCover.Program)]
    [InlineData(EngineKind.Sockets, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", true)]
    [InlineData(EngineKind.Sockets, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256", false)]
    public async Task Beside_openssl_every_offer_gets_the_same_answer(EngineKind engine, string suites, bool prefersItsOwn)
    {
        await using var cover = await OpensslCover.StartAsync(["-ciphersuites", suites, .. prefersItsOwn ? (string[])["-serverpref"] : []]);
        await CompareAsync(engine, cover.Endpoint);
    }

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Lengths_of_flights_come_as_often_as_those_of_nginx(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(TimeSpan.FromSeconds(60));
        await using var test = Behind(engine, cover.Endpoint);
        await UntilLearnedAsync(test);
        foreach (var shape in Enum.GetValues<ClientHelloShape>())
        {
            var probability = 0.0;
            // By chance it is below 0.01 once in a hundred times; twice, once in ten thousand.
            for (var attempt = 0; attempt < 2 && probability <= 0.01; attempt++)
            {
                var counting = LengthsAsync(cover.Endpoint, shape, ProxySecret.Create(new byte[16]));
                var ours = await LengthsAsync(test.Endpoint, shape, test.Secret);
                var theirs = await counting;
                probability = ChiSquare.ProbabilityOfSame(theirs, ours);
                output.WriteLine($"{shape}: p {probability:0.000}; cover {Counts(theirs)}; here {Counts(ours)}");
            }

            Assert.InRange(probability, 0.01, 1);
        }
    }

    private static string Counts(int[] lengths) =>
        string.Join(", ", lengths.CountBy(length => length).OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}: {pair.Value}"));

    private static async Task<int[]> LengthsAsync(IPEndPoint endpoint, ClientHelloShape shape, ProxySecret secret)
    {
        var lengths = new List<int>();
        while (lengths.Count < Flights)
        {
            var meters = await Task.WhenAll(
                Enumerable.Range(0, AtATime).Select(_ => MeasureAsync(endpoint, shape, TlsSuiteOffer.All.First(), secret)));
            lengths.AddRange(meters.Select(meter => meter.EncryptedLength));
        }

        return [.. lengths];
    }

    private static ProxyUnderTest Behind(EngineKind engine, IPEndPoint cover) => ProxyUnderTest.Start(engine, settings => settings with
    {
        Listeners = [settings.Listeners[0] with { Domain = CoverServer.Name }],
        Cover = new CoverSettings { Mode = CoverMode.Fixed, Target = CoverTarget.OfAddress(cover) },
    });

    private static async Task CompareAsync(EngineKind engine, IPEndPoint cover)
    {
        await using var test = Behind(engine, cover);
        await UntilLearnedAsync(test);

        foreach (var shape in Enum.GetValues<ClientHelloShape>())
        {
            foreach (var offer in TlsSuiteOffer.All)
            {
                var difference = int.MaxValue;
                for (var attempt = 0; attempt < Attempts && Math.Abs((long)difference) > Tolerance; attempt++)
                {
                    // Both at once: each waits a while for what may still come.
                    var measuring = MeasureAsync(cover, shape, offer, ProxySecret.Create(new byte[16]));
                    var ours = await MeasureAsync(test.Endpoint, shape, offer, test.Secret);
                    var theirs = await measuring;
                    Assert.True(theirs.Hello == ours.Hello, $"{shape} {offer}: {theirs.Hello} at the cover, {ours.Hello} here");
                    Assert.True(ours.HasChangeCipherSpec && theirs.HasChangeCipherSpec);
                    Assert.Single(ours.RecordLengths);
                    difference = ours.EncryptedLength - theirs.EncryptedLength;
                }

                Assert.InRange(difference, -Tolerance, Tolerance);
            }
        }
    }

    private static async Task UntilLearnedAsync(ProxyUnderTest test)
    {
        using var patience = new CancellationTokenSource(4 * Wire.Patience);
        while (test.Proxy.Flights()[0] is { LearnedAt: null } snapshot)
        {
            Assert.Equal(FlightProblem.None, snapshot.Problem);
            await Task.Delay(20, patience.Token);
        }
    }

    private static async Task<ServerFlightMeter> MeasureAsync(
        IPEndPoint endpoint, ClientHelloShape shape, TlsSuiteOffer offer, ProxySecret secret)
    {
        await using var wire = await Wire.ConnectAsync(endpoint);
        await wire.SendAsync(
            HelloBytes.Create(secret, CoverServer.Name, (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), shape, offer));
        var meter = new ServerFlightMeter();
        var buffer = new byte[32 * 1024];
        while (true)
        {
            var isWhole = meter is { IsAtBoundary: true, EncryptedLength: > 0 };
            var (count, end) = await wire.ReadSomeAsync(buffer, isWhole ? TimeSpan.FromMilliseconds(300) : null);
            if (end != PeerEnd.None)
            {
                Assert.True(isWhole && end == PeerEnd.Timeout, $"{endpoint}, {shape}, {offer}: {end} after {meter.EncryptedLength} bytes");
                return meter;
            }
            Assert.Equal(ServerFlightEnd.None, meter.Feed(buffer.AsSpan(0, count)));
        }
    }
}
