using System.Net;
using Portico.Core.Cover.Learning;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Cover.Learning;

/// <summary>Flights of a proxy beside those of the real server that it was told to look like, hello by hello.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class RealCoverTests
{
    // An ECDSA signature in DER has 70 to 72 bytes; one in 500 has fewer, so a single comparison may be further off.
    private const int Tolerance = 2, Attempts = 3;

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

    private static async Task CompareAsync(EngineKind engine, IPEndPoint cover)
    {
        await using var test = ProxyUnderTest.Start(engine, settings => settings with
        {
            Listeners = [settings.Listeners[0] with { Domain = CoverServer.Name }],
            Cover = new CoverSettings { Mode = CoverMode.Fixed, Target = CoverTarget.OfAddress(cover) },
        });
        await UntilLearnedAsync(test);

        foreach (var shape in Enum.GetValues<ClientHelloShape>())
        {
            foreach (var offer in TlsSuiteOffer.All)
            {
                var difference = int.MaxValue;
                for (var attempt = 0; attempt < Attempts && Math.Abs((long)difference) > Tolerance; attempt++)
                {
                    var theirs = await MeasureAsync(cover, shape, offer, ProxySecret.Create(new byte[16]));
                    var ours = await MeasureAsync(test.Endpoint, shape, offer, test.Secret);
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
