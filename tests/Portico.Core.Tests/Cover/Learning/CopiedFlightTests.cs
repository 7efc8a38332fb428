using System.Buffers.Binary;
using Portico.Core.Tests.Staging;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Tests.Crypto;
using Portico.TestKit.Statistics;
using Xunit;

namespace Portico.Core.Tests.Cover.Learning;

/// <summary>What a client, and who watches it, sees of what was learned.</summary>
public sealed class CopiedFlightTests : IDisposable
{
    // From the start of the flight, for a session id of 32 bytes: server random, key behind either order of extensions, encrypted record.
    private const int Random = 11, KeyLength = 32, ServerHelloEnd = 127, AppData = 138;

    private readonly Stage _stage = new();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Theory]
    [InlineData(ClientHelloShape.Classic517, 640)]
    [InlineData(ClientHelloShape.PostQuantum, 700)]
    public void Suite_order_and_size_are_those_of_the_cover_for_every_offer(ClientHelloShape shape, int length)
    {
        ushort[] preference = [0x1303, 0x1302, 0x1301];
        foreach (var order in Enum.GetValues<ServerExtensionOrder>())
        {
            _stage.Proxy.Services.Current.Flights.Publish(0, Flights.Of([640], [700], preference, order));
            foreach (var offer in TlsSuiteOffer.All)
            {
                var flight = Greet(shape, offer).Flight;
                Assert.True(ServerHello.TryParse(flight.AsSpan(5, ServerHelloEnd - 5), out var hello));
                Assert.Equal((preference.First(offer.Contains), order), (hello.CipherSuite, hello.Order));
                Assert.Equal(AppData + length + (hello.CipherSuite == 0x1302 ? 16 : 0), flight.Length);
            }
        }
    }

    [Fact]
    public void Without_anything_learned_the_first_suite_is_taken_and_the_size_is_random()
    {
        var sizes = new HashSet<int>();
        for (var i = 0; i < 40; i++)
        {
            var flight = Greet(ClientHelloShape.Classic517, TlsSuiteOffer.Usual).Flight;
            Assert.Equal(0x1301, BinaryPrimitives.ReadUInt16BigEndian(flight.AsSpan(76)));
            Assert.InRange(flight.Length - AppData, ServerFlight.LeastRandomAppData, ServerFlight.MostRandomAppData);
            sizes.Add(flight.Length);
        }

        Assert.True(sizes.Count > 20);
    }

    [Fact]
    public void An_offer_that_the_cover_refuses_gets_the_clients_first_suite()
    {
        _stage.Proxy.Services.Current.Flights.Publish(0, Flights.Of([640], preference: [0x1302]));
        foreach (var offer in TlsSuiteOffer.All)
        {
            var suite = BinaryPrimitives.ReadUInt16BigEndian(Greet(ClientHelloShape.Classic517, offer).Flight.AsSpan(76));
            Assert.Equal(offer.Contains(0x1302) ? 0x1302 : offer.Suites.First(), suite);
        }
    }

    /// <summary>
    /// 10 000 flights, each byte that should be random counted at each place. Real randomness cannot
    /// be repeated, so the limits are such that a correct build fails less than once in a million runs:
    /// a place may reach a probability of 1e-6 divided by the number of places, and not more than two may
    /// reach 1e-6 (which one in a thousand runs does at some place; at three, one in ten thousand millions).
    /// </summary>
    [Fact]
    public void Ten_thousand_flights_are_random_wherever_the_covers_would_be()
    {
        const int Number = 10_000, Length = 641, Least = Length - 3; // rare signatures are shorter still
        _stage.Proxy.Services.Current.Flights.Publish(0, Flights.Of([Length - 1, Length, Length + 1]));
        var offers = TlsSuiteOffer.All.ToArray();
        var counts = new Dictionary<int, int[]>();
        var (keys, sizes) = (new HashSet<string>(), new HashSet<int>());
        for (var i = 0; i < Number; i++)
        {
            var client = Greet(ClientHelloShape.Classic517, offers[i % offers.Length]);
            var flight = client.Flight;
            Assert.True(ServerHello.TryParse(flight.AsSpan(5, ServerHelloEnd - 5), out var hello));
            Assert.Equal(((ushort[])[0x1302, 0x1303, 0x1301]).First(offers[i % offers.Length].Contains), hello.CipherSuite);
            Assert.True(client.Hello.AsSpan(44, 32).SequenceEqual(flight.AsSpan(44, 32)));
            var size = flight.Length - AppData - (hello.CipherSuite == 0x1302 ? 16 : 0);
            Assert.InRange(size, Least, Length + 1);
            sizes.Add(size);

            // supported_versions first, so the key ends the hello.
            var key = flight.AsSpan(ServerHelloEnd - KeyLength, KeyLength);
            Assert.True(Ladder25519.IsInSubgroup(key));
            Assert.True(keys.Add(Convert.ToHexString(key)));

            CountBytes(Random, 32, flight, counts);
            CountBytes(ServerHelloEnd - KeyLength, KeyLength, flight, counts);
            CountBytes(AppData, Least, flight, counts);
        }

        Assert.Superset(new HashSet<int> { Length - 1, Length, Length + 1 }, sizes);
        Assert.Equal(32 + KeyLength + Least, counts.Count);
        var probabilities = counts.ToDictionary(place => place.Key, place => ChiSquare.ProbabilityOfUniform(
            // A coordinate is below 2^255: its last byte has 128 values.
            place.Key == ServerHelloEnd - 1 ? place.Value[..128] : place.Value));
        Assert.True(counts[ServerHelloEnd - 1][128..].All(count => count == 0));
        Assert.DoesNotContain(probabilities, place => place.Value < 1e-6 / counts.Count);
        Assert.True(probabilities.Count(place => place.Value < 1e-6) <= 2);
        Assert.All(counts.Values, place => Assert.True(place.Max() < Number / 10));
    }

    private static void CountBytes(int from, int length, byte[] flight, Dictionary<int, int[]> counts)
    {
        for (var place = from; place < from + length; place++)
        {
            if (!counts.TryGetValue(place, out var seen)) counts[place] = seen = new int[256];
            seen[flight[place]]++;
        }
    }

    private StageClient Greet(ClientHelloShape shape, TlsSuiteOffer offer)
    {
        var client = _stage.Call(new ClientTraits { Shape = shape, Suites = offer });
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.True(client.HasFlight);
        client.Peer.Reset();
        _stage.Run();
        return client;
    }
}
