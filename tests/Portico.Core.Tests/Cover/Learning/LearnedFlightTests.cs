using Portico.Core.Cover.Learning;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Core.Tests.Cover.Learning;

public sealed class LearnedFlightTests
{
    private readonly RandomKeystream _random = new();

    [Fact]
    public void Lengths_are_drawn_as_often_as_they_were_seen()
    {
        var flight = Flights.Of([640, 660, 660, 660], [700]); // too far apart for one key
        var drawn = Enumerable.Range(0, 4000).Select(_ => flight.DrawLength(_random, isPostQuantum: false, 0x1301)).ToList();

        Assert.Equal([640, 660], drawn.Distinct().Order());
        Assert.InRange(drawn.Count(length => length == 640), 750, 1250); // 9 standard deviations to either side
        Assert.All(Enumerable.Range(0, 20), _ => Assert.Equal(700, flight.DrawLength(_random, isPostQuantum: true, 0x1303)));
    }

    [Fact]
    public void The_suite_with_the_longer_hash_makes_the_flight_longer_by_what_its_Finished_has_more()
    {
        var flight = Flights.Of([640]);
        Assert.Equal(656, flight.DrawLength(_random, isPostQuantum: false, 0x1302));
        Assert.Equal((656, 656), (flight.SmallestLength, flight.LargestLength)); // this cover prefers it
        // The same cover was measured with either suite.
        Assert.Equal(LearnedFlight.LengthOf(645, 0x1301), LearnedFlight.LengthOf(661, 0x1302));
    }

    [Theory]
    [InlineData(10240, 10240)]
    [InlineData(10241, 10240)]
    [InlineData(200000, 10240)]
    public void No_record_is_longer_than_clients_take(int learned, int drawn) =>
        Assert.Equal(drawn, Flights.Of([learned]).DrawLength(_random, isPostQuantum: false, 0x1301));

    [Fact]
    public void Samples_add_up_while_the_certificate_seems_to_be_the_same()
    {
        var first = Flights.Of([640, 642], [700]);
        var second = Flights.Of([641], [800]).After(first);
        Assert.Equal([640, 642, 641], second.ClassicLengths.AsEnumerable());
        Assert.Equal([800], second.PostQuantumLengths.AsEnumerable());
        Assert.Equal([643], Flights.Of([643]).After(Flights.Of([640])).ClassicLengths.AsEnumerable());

        var many = first;
        for (var i = 0; i < 100; i++) many = Flights.Of([641]).After(many);
        Assert.Equal(64, many.ClassicLengths.Length);
        Assert.Same(first, first.After(null));
    }

    [Fact]
    public void A_byte_more_of_a_signature_is_no_news_and_anything_else_is()
    {
        var flight = Flights.Of([640, 641]);
        Assert.True(flight.LooksLike(Flights.Of([642])));
        Assert.False(flight.LooksLike(Flights.Of([644])));
        Assert.False(flight.LooksLike(Flights.Of([640, 900])));
        Assert.False(flight.LooksLike(Flights.Of([640], [700])));
        Assert.False(flight.LooksLike(Flights.Of([640], preference: [0x1301, 0x1302, 0x1303])));
        Assert.False(flight.LooksLike(Flights.Of([640], order: ServerExtensionOrder.KeyShareFirst)));
    }
}
