using System.Globalization;
using System.Net;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class WebHeaderValueTests
{
    public static TheoryData<int> Numbers => WebVectors.Indexes("headers", "uint");

    public static TheoryData<int> Bearers => WebVectors.Indexes("headers", "bearer");

    public static TheoryData<int> Subprotocols => WebVectors.Indexes("headers", "subprotocol");

    public static TheoryData<int> Forwarded => WebVectors.Indexes("headers", "forwarded");

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Numbers_have_one_spelling(int index)
    {
        var item = WebVectors.Cases("headers", "uint")[index];

        var isRead = WebHeaderValue.TryReadNumber(item.Text("text"), out var number);

        Assert.Equal(item.TextOrNull("expected"), isRead ? number.ToString(CultureInfo.InvariantCulture) : null);
        Assert.True(isRead || number == 0);
        Assert.Equal(isRead && number <= WebFrameHeader.MaxStream, WebHeaderValue.TryReadLane(item.Text("text"), out var lane));
        Assert.Equal(isRead && number <= WebFrameHeader.MaxStream ? number : 0, lane);
    }

    [Theory]
    [InlineData("8\0")]
    [InlineData("\08")]
    [InlineData("1_0")]
    [InlineData("1e1")]
    [InlineData("000000000000000000000000000001")]
    public void Numbers_in_spellings_of_the_framework_alone_are_refused(string value) =>
        Assert.False(WebHeaderValue.TryReadNumber(value, out _));

    [Fact]
    public void A_lane_is_a_stream_or_0()
    {
        Assert.True(WebHeaderValue.TryReadLane("16777215", out var lane));
        Assert.Equal(WebFrameHeader.MaxStream, lane);
        Assert.False(WebHeaderValue.TryReadLane("16777216", out lane));
        Assert.Equal(0u, lane);
    }

    [Theory]
    [MemberData(nameof(Bearers))]
    public void Bearer_values_have_one_spelling(int index)
    {
        var item = WebVectors.Cases("headers", "bearer")[index];

        var isRead = WebHeaderValue.TryReadBearer(item.Text("text"), out var token);

        Assert.Equal(item.TextOrNull("expected"), isRead ? token.ToString() : null);
    }

    [Theory]
    [MemberData(nameof(Subprotocols))]
    public void Subprotocols_have_one_spelling(int index)
    {
        var item = WebVectors.Cases("headers", "subprotocol")[index];

        var isRead = WebHeaderValue.TryReadSubprotocol(item.Text("text"), out var token, out var lane);

        Assert.Equal(item.Optional("expected") is not null, isRead);
        if (item.Optional("expected") is not { } expected)
            return;
        Assert.Equal(expected.Text("token"), token.ToString());
        Assert.Equal(expected.Optional("lane")?.GetUInt32() ?? 0, lane);
        Assert.Equal(expected.Text("carrier"), (lane == 0 ? WebCarrier.WebSocket : WebCarrier.WebSocketLanes).Tag());
    }

    [Theory]
    [MemberData(nameof(Forwarded))]
    public void A_client_is_whom_a_trusted_server_names_and_nobody_else(int index)
    {
        var item = WebVectors.Cases("headers", "forwarded")[index];
        var peer = IPAddress.Parse("192.0.2.200");

        var isFound = ForwardedAddress.TryFind(
            peer, item.GetProperty("peer_trusted").GetBoolean(),
            [.. item.GetProperty("values").EnumerateArray().Select(value => value.GetString()!)], out var client);

        Assert.Equal(item.TextOrNull("expected"), !isFound ? null : client.Equals(peer) ? "peer" : client.ToString());
    }

    [Theory]
    [InlineData("1")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("fe80::1%1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("2001:db8::1/64")]
    [InlineData("203.0.113.7 ")]
    public void Addresses_in_spellings_of_the_framework_alone_are_refused(string value) =>
        Assert.False(ForwardedAddress.TryFind(IPAddress.Loopback, true, [value], out _));

    [Fact]
    public void An_IPv4_client_is_one_however_it_is_written()
    {
        Assert.True(ForwardedAddress.TryFind(IPAddress.Loopback, true, ["::ffff:203.0.113.7"], out var client));
        Assert.Equal(IPAddress.Parse("203.0.113.7"), client);
    }

    [Fact]
    public void Every_carrier_has_a_name_of_its_own() =>
        Assert.Equal(
            ["https", "https-lanes", "websocket", "websocket-lanes"], Enum.GetValues<WebCarrier>().Select(carrier => carrier.Tag()));
}
