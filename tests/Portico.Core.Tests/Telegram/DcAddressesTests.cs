using System.Net;
using Portico.Core.Net;
using Portico.Core.Telegram;
using Portico.Core.Tests.Net;
using Xunit;

namespace Portico.Core.Tests.Telegram;

public class DcAddressesTests
{
    private static readonly IPEndPoint A = new(IPAddress.Parse("192.0.2.1"), 443);
    private static readonly IPEndPoint B = new(IPAddress.Parse("192.0.2.2"), 443);
    private static readonly IPEndPoint C = new(IPAddress.Parse("192.0.2.3"), 443);
    private static readonly IPEndPoint Six = new(IPAddress.Parse("2001:db8::1"), 443);

    [Fact]
    public void The_preferred_family_comes_first()
    {
        Assert.Equal([Six, A], Order(new DcAddresses(2, [A, Six], preferIPv6: true)));
        Assert.Equal([A, Six], Order(new DcAddresses(2, [Six, A], preferIPv6: false)));
    }

    [Fact]
    public void Clients_are_spread_evenly_over_the_addresses_of_the_preferred_family()
    {
        var addresses = new DcAddresses(2, [A, B, C, Six], preferIPv6: false);
        var first = Enumerable.Range(0, 300).Select(_ => Order(addresses)[0]).CountBy(address => address).ToDictionary();
        Assert.Equal(new() { [A] = 100, [B] = 100, [C] = 100 }, first);
        Assert.Equal([A, B, C, Six], Order(addresses).OrderBy(address => address.ToString(), StringComparer.Ordinal));
    }

    [Fact]
    public void An_address_that_failed_comes_last_for_a_minute_and_then_has_its_turn_again()
    {
        var addresses = new DcAddresses(2, [A, Six], preferIPv6: false);
        addresses.Failed(A, 1000);
        Assert.Equal([Six, A], Order(addresses, 1000));
        Assert.Equal([Six, A], Order(addresses, 60_999));
        Assert.Equal([A, Six], Order(addresses, 61_000));
    }

    [Fact]
    public void An_address_that_works_again_is_tried_first_at_once()
    {
        var addresses = new DcAddresses(2, [A, Six], preferIPv6: false);
        addresses.Failed(A, 1000);
        addresses.Worked(A, 2000);
        Assert.Equal([A, Six], Order(addresses, 2000));
    }

    [Fact]
    public void When_all_have_failed_all_are_tried()
    {
        var addresses = new DcAddresses(2, [A, Six], preferIPv6: false);
        addresses.Failed(A, 1000);
        addresses.Failed(Six, 2000);
        Assert.Equal([A, Six], Order(addresses, 3000));
    }

    private static List<EndPoint> Order(DcAddresses addresses, long nowMs = 0)
    {
        var race = new ConnectRace(new LoopBench().Loop);
        addresses.AddTo(race, nowMs);
        return [.. race.Addresses];
    }
}
