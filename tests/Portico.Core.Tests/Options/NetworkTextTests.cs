using Portico.Core.Options;
using Xunit;

namespace Portico.Core.Tests.Options;

public class NetworkTextTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    [InlineData("10.1.2.3/31", "10.1.2.2/31")]
    [InlineData("192.0.2.7", "192.0.2.7/32")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("fd00::/8", "fd00::/8")]
    [InlineData("2001:db8::1", "2001:db8::1/128")]
    [InlineData("2001:db8:ffff::/33", "2001:db8:8000::/33")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3/32")]
    [InlineData("::ffff:10.1.2.3/104", "10.0.0.0/8")]
    public void A_network_is_read(string text, string expected)
    {
        Assert.True(NetworkText.TryParse(text, out var network, out _));
        Assert.Equal(expected, network.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("10.0.0.0/")]
    [InlineData("10/8")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("10.0.0.0/08x")]
    [InlineData("010.0.0.0/8")]
    [InlineData("fe80::1%eth0")]
    [InlineData("localhost")]
    [InlineData("::ffff:10.0.0.0/8")]
    [InlineData("[::1]:443")]
    [InlineData("[fd00::]/8")]
    public void Anything_else_is_refused_with_an_example(string text)
    {
        Assert.False(NetworkText.TryParse(text, out _, out var problem));
        Assert.Contains("10.0.0.0/8", problem, StringComparison.Ordinal);
    }
}
