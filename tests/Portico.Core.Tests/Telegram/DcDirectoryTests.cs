using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Options;
using Portico.Core.Telegram;
using Xunit;

namespace Portico.Core.Tests.Telegram;

public class DcDirectoryTests
{
    private static readonly IPEndPoint A = new(IPAddress.Parse("192.0.2.1"), 443), B = new(IPAddress.Parse("192.0.2.2"), 443), C = new(IPAddress.Parse("192.0.2.3"), 443);
    private static readonly IPEndPoint Six = new(IPAddress.Parse("2001:db8::1"), 443);

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
        Assert.Equal(AddressFamily.InterNetwork, addresses.At(0, 0).AddressFamily);
    }

    [Fact]
    public void Overrides_replace_the_built_in_addresses_and_a_negative_id_has_its_own()
    {
        var endpoints = ImmutableDictionary<int, ImmutableArray<IPEndPoint>>.Empty.Add(2, [A]).Add(-2, [B]).Add(77, [C]);
        var directory = new DcDirectory(new DirectSettings { Endpoints = endpoints });
        Assert.Equal((A, 1), (directory.Find(2, out _).At(0, 0), directory.Find(2, out _).Count));
        Assert.Equal(B, directory.Find(-2, out _).At(0, 0));
        Assert.Equal(C, directory.Find(-77, out var used).At(0, 0));
        Assert.Equal(-77, used);
    }

    [Fact]
    public void The_preferred_family_comes_first()
    {
        Assert.Equal(Six, new DcAddresses([A, Six], preferIPv6: true).At(0, 0));
        Assert.Equal(A, new DcAddresses([Six, A], preferIPv6: false).At(0, 0));
    }

    [Fact]
    public void The_last_winner_is_tried_first_and_every_other_once_after_it()
    {
        var addresses = new DcAddresses([A, B, C, Six], preferIPv6: false);
        var order = InOrder(addresses);
        foreach (var winner in new[] { Six, A, C })
        {
            addresses.Won(winner);
            Assert.Equal([winner, .. order.Where(address => !address.Equals(winner))], InOrder(addresses));
        }
    }

    [Fact]
    public void Proxies_spread_over_the_addresses_of_a_dc() =>
        Assert.Equal(3, Enumerable.Range(0, 100).Select(_ => new DcAddresses([A, B, C], preferIPv6: false).At(0, 0)).Distinct().Count());

    [Fact]
    public void A_winner_that_changes_while_a_client_connects_leaves_that_client_its_order()
    {
        var addresses = new DcAddresses([A, B], preferIPv6: false);
        var first = addresses.First;
        var tried = addresses.At(first, 0);
        addresses.Won(addresses.At(first, 1));
        Assert.NotEqual(tried, addresses.At(first, 1));
    }

    private static List<IPEndPoint> InOrder(DcAddresses addresses) => [.. Enumerable.Range(0, addresses.Count).Select(attempt => addresses.At(addresses.First, attempt))];
}
