using System.Net;
using System.Text;
using Portico.Protocol.ProxyProtocol;
using Xunit;

namespace Portico.Protocol.Tests.ProxyProtocol;

/// <summary>Headers as haproxy.org's proxy-protocol.txt has them, sections 2.1 and 2.2: whole, cut everywhere and wrong.</summary>
public class ProxyHeaderReadTests
{
    private const string Signature = "0d0a0d0a000d0a515549540a";

    private const string V4Addresses = "c0000201" + "c6336402" + "c350" + "01bb";

    private const string V6Addresses = "20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "c350" + "01bb";

    private static readonly byte[] Behind = [0x16, 0x03, 0x01, 0x0d, 0x0a];

    /// <summary>Text, or hexadecimal digits of version 2; the client; where it connected to.</summary>
    public static TheoryData<string, string?, string?> Good => new()
    {
        { "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n", "192.0.2.1:50000", "198.51.100.2:443" },
        { "PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0:0", "255.255.255.255:65535" },
        { "PROXY TCP6 2001:db8::1 2001:DB8::2 50000 443\r\n", "[2001:db8::1]:50000", "[2001:db8::2]:443" },
        { "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 1 2\r\n", "192.0.2.1:1", "198.51.100.2:2" },
        {
            "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"
        },
        { "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n", "[::ffff:192.0.2.1]:1", "[2001:db8::2]:2" },
        { "PROXY UNKNOWN\r\n", null, null },
        { "PROXY UNKNOWN ffff::1 whatever 65535\r\n", null, null },
        { Signature + "2111000c" + V4Addresses, "192.0.2.1:50000", "198.51.100.2:443" },
        { Signature + "21210024" + V6Addresses, "[2001:db8::1]:50000", "[2001:db8::2]:443" },
        {
            Signature + "21210024" + "00000000000000000000ffffc0000201" + "00000000000000000000ffffc6336402" + "c350" + "01bb",
            "192.0.2.1:50000", "198.51.100.2:443"
        },
        // With additions behind the addresses: an authority of 3 bytes, and 4 bytes of nothing.
        { Signature + "21110019" + V4Addresses + "020003616263" + "04000400000000", "192.0.2.1:50000", "198.51.100.2:443" },
        { Signature + "20000000", null, null },                                   // LOCAL
        { Signature + "2011000c" + V4Addresses, null, null },                     // LOCAL, whatever stands there
        { Signature + "20110003" + "010203", null, null },
        { Signature + "21000000", null, null },                                   // no family
        { Signature + "21310003" + "010203", null, null },                        // Unix sockets
        { Signature + "2112000c" + V4Addresses, null, null },                     // UDP
    };

    public static TheoryData<string> Bad => new(
        "GET / HTTP/1.1\r\n\r\n",
        "PROXY\r\n",
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP5 192.0.2.1 198.51.100.2 50000 443\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.2 50000 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443 1\r\n",
        "PROXY TCP4 192.0.2.1  198.51.100.2 50000 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 01 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2  443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.2 50000 443\r\n",
        "PROXY TCP4 1 2 50000 443\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.2 50000 443\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 50000 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 50000 443\r\n",
        "PROXY TCP6 fe80::1%3 fe80::2%3 50000 443\r\n",
        "PROXY TCP6 [2001:db8::1] [2001:db8::2] 50000 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\n" + new string('x', 70),
        "PROXY UNKNOWN " + new string('x', 100) + "\r\n",
        new string('x', 1),
        Signature + "1111000c" + V4Addresses,                                     // version 1 in binary
        Signature + "3111000c" + V4Addresses,
        Signature + "2211000c" + V4Addresses,                                     // an unknown command
        Signature + "2111000b" + V4Addresses[..22],                               // too short for its addresses
        Signature + "21210023" + V6Addresses[..70],
        Signature + "2113000c" + V4Addresses,                                     // unknown transports
        Signature + "2141000c" + V4Addresses,
        Signature + "21ff000c" + V4Addresses,
        Signature + "2111ffff" + V4Addresses,                                     // longer than anybody's
        Signature + "21110ff1" + V4Addresses);

    [Theory]
    [MemberData(nameof(Good))]
    public void A_header_is_read_whole_and_nothing_behind_it(string header, string? source, string? destination)
    {
        var bytes = BytesOf(header);
        Assert.Equal(FrameStatus.Ok, ProxyHeader.TryRead([.. bytes, .. Behind], out var length, out var from, out var to));
        Assert.Equal((bytes.Length, source, destination), (length, from?.ToString(), to?.ToString()));
        Assert.Equal(FrameStatus.Ok, ProxyHeader.TryRead(bytes, out length, out from, out _));
        Assert.Equal((bytes.Length, source), (length, from?.ToString()));
        Assert.True(ProxyHeader.LooksLikeOne(bytes));
    }

    [Theory]
    [MemberData(nameof(Good))]
    public void Every_beginning_of_a_header_needs_more(string header, string? source, string? destination)
    {
        var bytes = BytesOf(header);
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            Assert.Equal(FrameStatus.NeedMoreData, ProxyHeader.TryRead(bytes.AsSpan(0, cut), out var length, out var from, out var to));
            Assert.Equal((0, null, null), (length, from, to));
        }

        Assert.Equal(source is null, destination is null);
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_is_no_header_is_told_at_once_and_stays_so(string header)
    {
        var bytes = BytesOf(header);
        Assert.Equal(FrameStatus.Invalid, ProxyHeader.TryRead(bytes, out var length, out var source, out var destination));
        Assert.Equal((0, null, null), (length, source, destination));
        Assert.Equal(FrameStatus.Invalid, ProxyHeader.TryRead([.. bytes, .. Behind], out _, out _, out _));
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var (source, destination) = (IPEndPoint.Parse("192.0.2.1:50000"), IPEndPoint.Parse("198.51.100.2:443"));
        foreach (var version in new[] { 1, 2 })
        {
            var target = new byte[ProxyHeader.MaxLength];
            var written = ProxyHeader.Write(target, version, source, destination);
            Assert.Equal(FrameStatus.Ok, ProxyHeader.TryRead(target.AsSpan(0, written), out var length, out var from, out var to));
            Assert.Equal((written, source, destination), (length, from, to));
        }
    }

    [Theory]
    [InlineData("PROXY", false)]
    [InlineData("PROXY ", true)]
    [InlineData("proxy tcp4", false)]
    [InlineData(Signature, true)]
    [InlineData("0d0a0d0a000d0a5155495400", false)]
    public void Enough_of_a_header_looks_like_one(string bytes, bool looks) =>
        Assert.Equal(looks, ProxyHeader.LooksLikeOne(BytesOf(bytes)));

    private static byte[] BytesOf(string header) =>
        header.StartsWith("0d0a", StringComparison.Ordinal) ? Convert.FromHexString(header) : Encoding.ASCII.GetBytes(header);
}
