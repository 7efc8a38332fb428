using System.Net;
using Portico.Core.Net;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Portico.TestKit.Covers;
using Portico.TestKit.Statistics;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Cover.Learning;

/// <summary>Flights of a proxy beside those of nginx, hello by hello and in their lengths.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class RealCoverTests(ITestOutputHelper output) : RealCover
{
    private const int Flights = 300, AtATime = 25;

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Beside_nginx_every_offer_gets_the_same_answer(EngineKind engine)
    {
        await using var cover = await NginxCover.StartAsync(TimeSpan.FromSeconds(60));
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
}
