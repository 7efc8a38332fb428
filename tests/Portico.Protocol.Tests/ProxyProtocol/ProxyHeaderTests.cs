using System.Net;
using System.Text;
using Portico.Protocol.ProxyProtocol;
using Xunit;

namespace Portico.Protocol.Tests.ProxyProtocol;

/// <summary>Expected bytes are written down from haproxy.org's proxy-protocol.txt, sections 2.1 and 2.2.</summary>
public class ProxyHeaderTests
{
    private const string Signature = "0d0a0d0a000d0a515549540a";

    [Theory]
    [InlineData("192.0.2.1:50000", "198.51.100.2:443", "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n")]
    [InlineData("[2001:db8::1]:50000", "[2001:db8::2]:443", "PROXY TCP6 2001:db8::1 2001:db8::2 50000 443\r\n")]
    [InlineData("[fe80::1%3]:5", "[fe80::2%3]:6", "PROXY TCP6 fe80::1 fe80::2 5 6\r\n")]
    [InlineData("192.0.2.1:50000", "[2001:db8::2]:443", "PROXY UNKNOWN\r\n")]
    [InlineData(null, "198.51.100.2:443", "PROXY UNKNOWN\r\n")]
    [InlineData("192.0.2.1:50000", null, "PROXY UNKNOWN\r\n")]
    public void Version_1_is_a_line_of_text(string? source, string? destination, string expected) =>
        Assert.Equal(expected, Encoding.ASCII.GetString(Write(1, source, destination)));

    [Theory]
    [InlineData("192.0.2.1:50000", "198.51.100.2:443", Signature + "2111000c" + "c0000201" + "c6336402" + "c350" + "01bb")]
    [InlineData("[2001:db8::1]:50000", "[2001:db8::2]:443",
        Signature + "21210024" + "20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "c350" + "01bb")]
    [InlineData("192.0.2.1:50000", "[2001:db8::2]:443", Signature + "20000000")]
    [InlineData(null, null, Signature + "20000000")]
    public void Version_2_is_binary(string? source, string? destination, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(Write(2, source, destination)));

    [Fact]
    public void The_longest_line_fits()
    {
        const string Longest = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
        Assert.InRange(Write(1, Longest, Longest).Length, 100, ProxyHeader.MaxLength);
    }

    [Fact]
    public void There_is_no_version_3() => Assert.Throws<ArgumentOutOfRangeException>(() => Write(3, null, null));

    private static byte[] Write(int version, string? source, string? destination)
    {
        var target = new byte[ProxyHeader.MaxLength];
        return target[..ProxyHeader.Write(target, version, Endpoint(source), Endpoint(destination))];
    }

    private static IPEndPoint? Endpoint(string? text) => text is null ? null : IPEndPoint.Parse(text);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_header_that_names_its_connection_is_read_like_any_other(bool isKnown)
    {
        var (source, destination) = isKnown
            ? (IPEndPoint.Parse("192.0.2.7:50000"), IPEndPoint.Parse("198.51.100.1:443"))
            : (null, default(IPEndPoint));
        var name = "0-1f-2"u8;
        Span<byte> bytes = new byte[2 * ProxyHeader.MaxLength];
        var written = ProxyHeader.Write(bytes, source, destination, name);

        Assert.Equal(FrameStatus.Ok, ProxyHeader.TryRead(bytes, out var length, out var read, out _));
        Assert.Equal((written, source), (length, read));
        Assert.True(ProxyHeader.TryFindUniqueId(bytes[..length], out var found));
        Assert.True(name.SequenceEqual(found));
        for (var cut = 0; cut < length; cut++) Assert.False(ProxyHeader.TryFindUniqueId(bytes[..cut], out _));
    }

    [Fact]
    public void A_name_is_found_behind_what_else_was_added_and_not_inside_it()
    {
        byte[] header =
        [
            .. Convert.FromHexString("0d0a0d0a000d0a515549540a2011"), 0, 12 + 7 + 5, .. new byte[12],
            0x20, 0, 4, 0x05, 0, 1, 0x61, // another addition, whose content looks like a name
            0x05, 0, 2, 0x62, 0x63,
        ];

        Assert.True(ProxyHeader.TryFindUniqueId(header, out var found));
        Assert.Equal("bc"u8, found);
        Assert.False(ProxyHeader.TryFindUniqueId(header.AsSpan(0, header.Length - 5), out _));
    }

    [Fact]
    public void A_name_has_1_to_128_bytes()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ProxyHeader.Write(new byte[300], null, null, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => ProxyHeader.Write(new byte[300], null, null, new byte[129]));
    }
}
