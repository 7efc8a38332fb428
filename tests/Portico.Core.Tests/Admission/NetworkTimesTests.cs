using Portico.Core.Admission;
using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Admission;

public class NetworkTimesTests
{
    private const int Places = 8192;

    private readonly NetworkTimes _times = new(Places);

    [Fact]
    public void A_network_has_the_time_that_was_kept_last()
    {
        _times.Set(V4(1), 5);
        _times.Set(V4(2), 9);
        _times.Set(V4(1), 3);
        Assert.Equal((3, 9, 0), (_times.Of(V4(1)), _times.Of(V4(2)), _times.Of(V4(3))));
    }

    [Fact]
    public void An_ipv4_address_and_the_ipv6_network_of_the_same_bits_are_two()
    {
        _times.Set(V4(1), 5);
        Assert.Equal(0, _times.Of(new ClientNetwork(1, 64)));
    }

    [Fact]
    public void A_hundred_thousand_networks_take_no_memory_beyond_the_table()
    {
        _times.Set(V4(0), 1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 1; i <= 100_000; i++) _times.Set(V4(i), i);
        // Not half a byte for each of them; the runtime's own, while it makes code faster, has been some 8 KB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000);
        Assert.Equal(Places, _times.CountLaterThan(0));
    }

    [Fact]
    public void Where_there_is_no_room_the_earliest_time_goes()
    {
        const long Late = 1_000_000;
        for (var i = 1; i <= 100; i++) _times.Set(V4(i), Late);
        for (var i = 1000; i < 101_000; i++) _times.Set(V4(i), i);
        Assert.All(Enumerable.Range(1, 100), i => Assert.Equal(Late, _times.Of(V4(i))));
        Assert.Equal(100_999, _times.Of(V4(100_999)));
        // Of those with the latest times hardly one is gone, of those with the earliest all are.
        Assert.InRange(Enumerable.Range(97_000, 4000).Count(i => _times.Of(V4(i)) != 0), 3000, 4000);
        Assert.Equal(0, Enumerable.Range(1000, 40_000).Count(i => _times.Of(V4(i)) != 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(100)]
    public void A_table_has_a_power_of_two_of_places(int places) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new NetworkTimes(places));

    private static ClientNetwork V4(int address) => new((ulong)address, 32);
}
