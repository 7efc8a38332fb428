using System.Collections.Immutable;
using System.Net;
using Portico.Core.Options;
using Portico.Core.Telegram;
using Xunit;

namespace Portico.Core.Tests.Telegram;

public class DcDirectoryTests
{
    private static readonly IPEndPoint A = new(IPAddress.Parse("192.0.2.1"), 443);
    private static readonly IPEndPoint B = new(IPAddress.Parse("192.0.2.2"), 443);
    private static readonly IPEndPoint C = new(IPAddress.Parse("192.0.2.3"), 443);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 5)]
    [InlineData(-5, -5)]
    [InlineData(203, 203)]
    [InlineData(10002, 10002)]
    [InlineData(-10002, -10002)]
    [InlineData(0, 2)]
    [InlineData(6, 2)]
    [InlineData(-6, 2)]
    [InlineData(short.MaxValue, 2)]
    [InlineData(short.MinValue, 2)]
    public void A_known_dc_is_used_as_named_and_an_unknown_one_becomes_the_default(short wanted, short used)
    {
        var addresses = new DcDirectory(new DirectSettings()).Find(wanted, out var found);
        Assert.Equal(used, found);
        Assert.NotEqual(0, addresses.Count);
    }

    [Fact]
    public void Overrides_replace_the_built_in_addresses_and_a_negative_id_has_its_own()
    {
        var endpoints = ImmutableDictionary<int, ImmutableArray<IPEndPoint>>.Empty.Add(2, [A]).Add(-2, [B]).Add(77, [C]);
        var directory = new DcDirectory(new DirectSettings { Endpoints = endpoints });
        Assert.Equal([A], directory.Find(2, out _).All);
        Assert.Equal([B], directory.Find(-2, out _).All);
        Assert.Equal([C], directory.Find(-77, out var used).All);
        Assert.Equal(-77, used);
    }
}
