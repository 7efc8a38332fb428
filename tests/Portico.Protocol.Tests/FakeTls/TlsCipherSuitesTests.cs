using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class TlsCipherSuitesTests
{
    [Theory]
    [InlineData("eaea130113021303c02b", 0, 0x1301)]
    [InlineData("1a1a130313011302", 0, 0x1303)]
    [InlineData("130113021303", 0x1302, 0x1302)]  // the cover's choice, offered
    [InlineData("13031301", 0x1302, 0x1303)]  // not offered
    [InlineData("c02f1301", 0xc02f, 0x1301)]  // offered, but no suite of TLS 1.3
    [InlineData("c02bc02f", 0, 0)]
    [InlineData("c02b13", 0x1301, 0)]  // an odd last byte
    [InlineData("0013011302", 0, 0)]  // pairs, not any two bytes
    [InlineData("", 0x1301, 0)]
    public void The_answer_is_the_preferred_or_first_tls13_suite_offered(string offered, int preferred, int chosen) =>
        Assert.Equal(chosen, TlsCipherSuites.Choose(Convert.FromHexString(offered), (ushort)preferred));
}
