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
public abstract class RealCover
{
    // An ECDSA signature in DER has 70 to 72 bytes; one in 500 has fewer, so a single comparison may be further off.
    private const int Tolerance = 2, Attempts = 3;

    protected static ProxyUnderTest Behind(EngineKind engine, IPEndPoint cover) => ProxyUnderTest.Start(engine, settings => settings with
    {
        Listeners = [settings.Listeners[0] with { Domain = CoverServer.Name }],
        Cover = new CoverSettings { Mode = CoverMode.Fixed, Target = CoverTarget.OfAddress(cover) },
    });

    protected static async Task CompareAsync(EngineKind engine, IPEndPoint cover)
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

    protected static async Task UntilLearnedAsync(ProxyUnderTest test)
    {
        using var patience = new CancellationTokenSource(4 * Wire.Patience);
        while (test.Proxy.Flights()[0] is { LearnedAt: null } snapshot)
        {
            Assert.Equal(FlightProblem.None, snapshot.Problem);
            await Task.Delay(20, patience.Token);
        }
    }

    protected static async Task<ServerFlightMeter> MeasureAsync(
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
