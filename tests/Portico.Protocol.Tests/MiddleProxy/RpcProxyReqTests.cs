using System.Buffers.Binary;
using System.Net;
using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

public class RpcProxyReqTests
{
    private const uint Tagged = RpcProxyReqFlags.Magic | RpcProxyReqFlags.HasAdTag;

    [Theory]
    [InlineData("18000000" + "ae261edb" + "10" + "000102030405060708090a0b0c0d0e0f" + "000000", 84)]
    [InlineData("18000000" + "ae261edb" + "fe100000" + "000102030405060708090a0b0c0d0e0f", 84)]
    [InlineData("28000000" + "81b35ad4" + "0161" + "0000" + "00000000" + "02626300" + "ae261edb" + "10"
            + "000102030405060708090a0b0c0d0e0f" + "000000", 100)]
    public void An_ad_tag_is_found_in_every_form_of_the_extra_block(string extra, int offset)
    {
        var payload = Request(Tagged, extra + "f0f1f2f3");

        Assert.True(RpcProxyReq.TryRead(Segmentation.Embed(payload).Span, out var header, out var packetOffset));
        Assert.Equal("000102030405060708090a0b0c0d0e0f", Convert.ToHexStringLower(header.AdTag));
        Assert.Equal(offset, packetOffset);
        Assert.Equal([0xf0, 0xf1, 0xf2, 0xf3], payload[packetOffset..]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("180000")]
    [InlineData("00000000")]
    [InlineData("ffffffff")]
    [InlineData("fcffffff")]
    [InlineData("00000080")]
    [InlineData("18000000" + "ae261edb")]
    [InlineData("04000000" + "ae261edb")]
    [InlineData("08000000" + "ae261edb" + "10000000")]
    [InlineData("08000000" + "ae261edb" + "00000000")]
    [InlineData("08000000" + "ae261edb" + "ff000000")]
    [InlineData("08000000" + "ae261edb" + "feffffff")]
    [InlineData("04000000" + "81b35ad4")]
    [InlineData("0c000000" + "81b35ad4" + "00000000" + "00000000")]
    [InlineData("08000000" + "efbeadde" + "00000000")]
    [InlineData("17000000" + "ae261edb" + "10" + "000102030405060708090a0b0c0d0e0f" + "0000")]
    [InlineData("1c000000" + "ae261edb" + "14" + "000102030405060708090a0b0c0d0e0f10111213" + "000000")]
    public void A_hostile_extra_block_is_refused_in_every_length(string extra)
    {
        var payload = Request(Tagged, extra);

        Assert.False(RpcProxyReq.TryRead(Segmentation.Embed(payload).Span, out _, out _));
        Assert.All(Segmentation.Truncations(payload), beginning => Assert.False(RpcProxyReq.TryRead(beginning.Span, out _, out _)));
    }

    [Fact]
    public void An_extra_block_without_an_ad_tag_is_read_over_and_one_nobody_announced_is_the_packet()
    {
        const string query = "10000000" + "81b35ad4" + "00000000" + "00000000" + "00000000";

        Assert.True(RpcProxyReq.TryRead(Request(RpcProxyReqFlags.HasHttpQueryInfo, query), out var header, out var packetOffset));
        Assert.Equal((true, 76), (header.AdTag.IsEmpty, packetOffset));
        Assert.True(RpcProxyReq.TryRead(Request(RpcProxyReqFlags.Magic, query), out _, out packetOffset));
        Assert.Equal(RpcProxyReq.HeaderLength, packetOffset);
        Assert.False(RpcProxyReq.TryRead(
            Request(RpcProxyReqFlags.HasHttpQueryInfo, "18000000" + "ae261edb" + "10" + "000102030405060708090a0b0c0d0e0f" + "000000"),
            out _, out _));
    }

    [Theory]
    [InlineData(32)]
    [InlineData(52)]
    public void A_port_that_is_none_is_refused(int offset)
    {
        var payload = Request(RpcProxyReqFlags.Magic, "");
        BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(offset), 65536);

        Assert.False(RpcProxyReq.TryRead(payload, out _, out _));
    }

    [Fact]
    public void The_writer_insists_that_flags_and_ad_tag_agree()
    {
        var address = new byte[RpcAddress.Length];
        void Write(uint flags, int adTagLength) => RpcProxyReq.WriteHeader(
            new byte[100],
            new RpcProxyReqHeader { Flags = flags, ClientAddress = address, ProxyAddress = address, AdTag = new byte[adTagLength] });

        Write(RpcProxyReqFlags.HasAdTag, AdTag.Length);
        Write(0, 0);
        Assert.Throws<ArgumentException>(() => Write(0, AdTag.Length));
        Assert.Throws<ArgumentException>(() => Write(RpcProxyReqFlags.HasAdTag, 0));
        Assert.Throws<ArgumentException>(() => Write(RpcProxyReqFlags.HasAdTag, AdTag.Length - 1));
        Assert.Throws<ArgumentException>(() => Write(RpcProxyReqFlags.HasHttpQueryInfo, 0));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("00000000000000", true)]
    [InlineData("0000000000000000", false)]
    [InlineData("0000000000000001", true)]
    [InlineData("0100000000000000", true)]
    [InlineData("000000000000000001", false)]
    public void A_packet_whose_first_eight_bytes_are_zero_is_not_encrypted(string packet, bool isEncrypted) =>
        Assert.Equal(isEncrypted, RpcProxyReqFlags.IsEncrypted(Vectors.Hex(packet)));

    [Theory]
    [InlineData(0u)]
    [InlineData(RpcProxyReqFlags.Padded)]
    [InlineData(RpcProxyReqFlags.Abridged | RpcProxyReqFlags.Intermediate)]
    [InlineData(RpcProxyReqFlags.Abridged | RpcProxyReqFlags.Padded)]
    public void Flags_that_name_no_framing_or_two_are_none_of_a_client(uint flags) =>
        Assert.False(RpcProxyReqFlags.TryGetTransport(flags | RpcProxyReqFlags.Magic, out _));

    [Fact]
    public void Addresses_lose_their_zone_and_keep_their_family()
    {
        var bytes = new byte[RpcAddress.Length];
        RpcAddress.Write(IPAddress.Parse("fe80::1%3"), bytes);

        Assert.Equal(IPAddress.Parse("fe80::1"), RpcAddress.Read(bytes));
        Assert.False(RpcAddress.IsV4(bytes));
        Assert.False(RpcAddress.IsV4(new byte[RpcAddress.Length]));
    }

    private static byte[] Request(uint flags, string behindHeader)
    {
        var header = new byte[RpcProxyReq.HeaderLength];
        BinaryPrimitives.WriteUInt32LittleEndian(header, RpcConstructors.ProxyReq);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), flags);
        return [.. header, .. Vectors.Hex(behindHeader)];
    }
}
