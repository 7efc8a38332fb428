using System.Text;
using Portico.Core.Users;
using Xunit;

namespace Portico.Core.Tests.Users;

public sealed class UserDomainTests
{
    [Theory]
    [InlineData("alice.example.com", "ALICE.example.COM", 0)]
    [InlineData("alice.example.com", "bob.example.com", -1)]
    [InlineData("Bob.example.com", "alice.example.com", 1)]
    [InlineData("alice.example.co", "alice.example.com", -1)]
    [InlineData("alice.example.com", "alice.example.co", 1)]
    [InlineData("a[.example", "A{.example", -1)] // letters alone have a case
    [InlineData(null, "", -1)]
    public void Names_are_in_order_whatever_their_case(string? one, string other, int order)
    {
        Assert.Equal(order, Math.Sign(new UserDomain(one).CompareTo(Encoding.ASCII.GetBytes(other))));
        Assert.Equal(order, Math.Sign(new UserDomain(one).CompareTo(new UserDomain(other))));
        Assert.Equal(-order, Math.Sign(new UserDomain(other).CompareTo(new UserDomain(one))));
    }

    [Theory]
    [InlineData("alice.example.com", "Alice.Example.com", true)]
    [InlineData("alice.example.com", "alice.example.co", false)]
    [InlineData("alice.example.com", "", false)]
    [InlineData("alice.example.com", "alice.example.\u00e7om", false)]
    [InlineData(null, "anything.example", true)]
    [InlineData(null, "", true)]
    public void A_hello_is_for_a_users_own_name_or_for_any(string? own, string sni, bool isAllowed) =>
        Assert.Equal(isAllowed, new UserDomain(own).Allows(Encoding.Latin1.GetBytes(sni)));

    [Fact]
    public void A_name_is_given_back_as_it_was_written_and_equal_to_itself_alone()
    {
        Assert.Equal("Alice.example.com", new UserDomain("Alice.example.com").Text);
        Assert.Null(new UserDomain(null).Text);
        Assert.Equal(new UserDomain("alice.example.com"), new UserDomain("alice.example.com"));
        Assert.Equal(new UserDomain("alice.example.com").GetHashCode(), new UserDomain("alice.example.com").GetHashCode());
        Assert.NotEqual(new UserDomain("alice.example.com"), new UserDomain("Alice.example.com"));
        Assert.NotEqual(new UserDomain(null), new UserDomain(""));
        Assert.Equal(0, new UserDomain(null).CompareTo(new UserDomain(null)));
    }
}
