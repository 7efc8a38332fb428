using System.Net;
using Portico.Core.Net;
using Portico.Links;
using Xunit;

namespace Portico.IntegrationTests.Links;

public class PublicAddressTests
{
    [Theory]
    [InlineData("127.0.0.1", nameof(Reach.Machine))]
    [InlineData("::1", nameof(Reach.Machine))]
    [InlineData("0.0.0.0", nameof(Reach.Machine))]
    [InlineData("::", nameof(Reach.Machine))]
    [InlineData("169.254.1.1", nameof(Reach.Machine))]
    [InlineData("fe80::1", nameof(Reach.Machine))]
    [InlineData("ff02::1", nameof(Reach.Machine))]
    [InlineData("10.1.2.3", nameof(Reach.PrivateNetwork))]
    [InlineData("172.16.0.1", nameof(Reach.PrivateNetwork))]
    [InlineData("172.31.255.255", nameof(Reach.PrivateNetwork))]
    [InlineData("192.168.1.1", nameof(Reach.PrivateNetwork))]
    [InlineData("100.64.0.1", nameof(Reach.PrivateNetwork))]
    [InlineData("fd00::1", nameof(Reach.PrivateNetwork))]
    [InlineData("2001:db8::1", nameof(Reach.PrivateNetwork))]
    [InlineData("172.32.0.1", nameof(Reach.World))]
    [InlineData("100.128.0.1", nameof(Reach.World))]
    [InlineData("8.8.8.8", nameof(Reach.World))]
    [InlineData("::ffff:8.8.8.8", nameof(Reach.World))]
    [InlineData("2001:67c:4e8:f002::a", nameof(Reach.World))]
    public void Addresses_reach_as_far_as_the_registries_say(string address, string reach) =>
        Assert.Equal(reach, AddressReach.Of(IPAddress.Parse(address)).ToString());

    [Theory]
    [InlineData("127.0.0.1,192.168.1.5,8.8.4.4,2001:67c::1", false, "8.8.4.4")]
    [InlineData("127.0.0.1,192.168.1.5,2001:67c::1", false, "2001:67c::1")]
    [InlineData("127.0.0.1,192.168.1.5,2001:67c::1", true, "192.168.1.5")]
    [InlineData("::1,fe80::1,fd00::5,192.168.1.5", false, "192.168.1.5")]
    [InlineData("127.0.0.1,::1,fe80::1,169.254.0.9", false, "127.0.0.1")]
    public void The_address_that_reaches_furthest_is_chosen_and_never_one_that_no_link_can_hold(
        string addresses, bool onlyIPv4, string chosen) =>
        Assert.Equal(chosen, PublicAddress.Choose(addresses.Split(',').Select(IPAddress.Parse), onlyIPv4).ToString());

    [Fact]
    public void A_machine_that_does_not_tell_its_addresses_has_a_link_all_the_same()
    {
        var found = PublicAddress.Find(IPAddress.IPv6Any, () => throw new System.Net.NetworkInformation.NetworkInformationException(97));

        Assert.NotEqual(IPAddress.IPv6Any, found);
        Assert.NotEqual(IPAddress.Any, found);
    }

    [Fact]
    public void A_listener_with_an_address_of_its_own_is_reached_there() =>
        Assert.Equal(IPAddress.Parse("127.0.0.5"), PublicAddress.Find(IPAddress.Parse("127.0.0.5")));
}
