using System.Net;
using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class LocalAddressesTests
{
    private static readonly IPAddress First = IPAddress.Parse("192.0.2.7"), Second = IPAddress.Parse("192.0.2.8"),
        Home = IPAddress.Parse("127.0.0.2"), Six = IPAddress.Parse("2001:db8::7");

    private readonly LocalAddresses _addresses = new([First, Home, Six, Second]);

    [Fact]
    public void Those_of_a_family_have_their_turns()
    {
        var taken = Enumerable.Range(0, 6).Select(_ => _addresses.Next(At("149.154.167.51"))).ToList();
        Assert.Equal(3, taken.Count(First.Equals));
        Assert.Equal(3, taken.Count(Second.Equals));
        Assert.DoesNotContain(true, taken.Zip(taken.Skip(1), (one, next) => one!.Equals(next)));
    }

    [Fact]
    public void The_other_family_and_this_machine_have_their_own()
    {
        Assert.Equal(Six, _addresses.Next(At("2001:67c:4e8:f002::a")));
        Assert.Equal(Home, _addresses.Next(At("127.0.0.1")));
    }

    [Fact]
    public void Where_none_leads_the_system_chooses()
    {
        Assert.Null(_addresses.Next(At("::1")));
        Assert.Null(_addresses.Next(new System.Net.Sockets.UnixDomainSocketEndPoint("/run/site.sock")));
        Assert.Null(LocalAddresses.None.Next(At("149.154.167.51")));
        Assert.Equal(0, LocalAddresses.None.CountFor(At("149.154.167.51")));
    }

    private static IPEndPoint At(string address) => new(IPAddress.Parse(address), 443);
}
