using Portico.Protocol.WebSockets;
using Xunit;

namespace Portico.Protocol.Tests.WebSockets;

/// <summary>Headers of frames, with the examples of RFC 6455 sections 1.3 and 5.7.</summary>
public class WebSocketFrameHeaderTests
{
    public static TheoryData<string, WebSocketOpcode, bool, long, int> Good => new()
    {
        { "818537fa213d", WebSocketOpcode.Text, true, 5, 6 },
        { "8a8537fa213d", WebSocketOpcode.Pong, true, 5, 6 },
        { "028037fa213d", WebSocketOpcode.Binary, false, 0, 6 },
        { "00fd37fa213d", WebSocketOpcode.Continuation, false, 125, 6 },
        { "82fe010037fa213d", WebSocketOpcode.Binary, true, 256, 8 },
        { "82ff000000000001000037fa213d", WebSocketOpcode.Binary, true, 65536, 14 },
        { "82ff7fffffffffffffff37fa213d", WebSocketOpcode.Binary, true, long.MaxValue, 14 },
        { "88fd37fa213d", WebSocketOpcode.Close, true, 125, 6 },
    };

    public static TheoryData<string> Bad => new(
        "8205",                 // without a mask
        "c28537fa213d",         // with reserved bits
        "a28537fa213d",
        "928537fa213d",
        "838537fa213d",         // reserved opcodes
        "8b8537fa213d",
        "8f8537fa213d",
        "098537fa213d",         // a part of a ping
        "89fe007e37fa213d",     // a long one
        "82ff800000000000000037fa213d"); // longer than there are numbers for

    [Theory]
    [MemberData(nameof(Good))]
    public void Headers_of_clients_are_read_however_they_arrive(
        string hex, WebSocketOpcode opcode, bool isFinal, long payload, int length) =>
        Segmentation.AssertDecides(
            Convert.FromHexString(hex), Read, FrameStatus.Ok, (new WebSocketFrameHeader(opcode, isFinal, payload, 0x3d21fa37), length));

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_no_client_sends_is_refused(string hex) =>
        Segmentation.AssertDecides(Convert.FromHexString(hex), Read, FrameStatus.Invalid, (default(WebSocketFrameHeader), 0));

    [Theory]
    [InlineData(WebSocketOpcode.Binary, 0, "8200")]
    [InlineData(WebSocketOpcode.Ping, 5, "8905")]
    [InlineData(WebSocketOpcode.Close, 125, "887d")]
    [InlineData(WebSocketOpcode.Binary, 126, "827e007e")]
    [InlineData(WebSocketOpcode.Binary, 256, "827e0100")]
    [InlineData(WebSocketOpcode.Binary, 65535, "827effff")]
    [InlineData(WebSocketOpcode.Binary, 65536, "827f0000000000010000")]
    [InlineData(WebSocketOpcode.Binary, int.MaxValue, "827f000000007fffffff")]
    public void Headers_of_servers_are_the_shortest_there_are(WebSocketOpcode opcode, int payload, string expected)
    {
        var header = new byte[WebSocketFrameHeader.MaxServerLength];

        var length = WebSocketFrameHeader.WriteServer(header, opcode, payload);

        Assert.Equal(expected, Convert.ToHexStringLower(header.AsSpan(0, length)));
        Assert.Equal(WebSocketFrameHeader.ServerLength(payload), length);
    }

    [Fact]
    public void A_mask_comes_off_wherever_a_payload_is_cut()
    {
        byte[] mask = [0x37, 0xfa, 0x21, 0x3d], plain = [.. Enumerable.Range(0, 100).Select(i => (byte)(i * 7))];
        var masked = plain.Select((value, i) => (byte)(value ^ mask[i & 3])).ToArray();
        for (var cut = 0; cut <= masked.Length; cut++)
        {
            var bytes = masked.ToArray();
            WebSocketFrameHeader.Unmask(bytes.AsSpan(0, cut), 0x3d21fa37, 0);
            WebSocketFrameHeader.Unmask(bytes.AsSpan(cut), 0x3d21fa37, cut);
            Assert.Equal(plain, bytes);
        }
    }

    [Fact]
    public void A_handshake_is_answered_as_in_the_RFC() =>
        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", WebSocketHandshake.Accept("dGhlIHNhbXBsZSBub25jZQ=="));

    [Theory]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", true)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ=", false)]
    [InlineData("dGhlIHNhbXBsZSBub25jZTE=", false)]
    [InlineData(" GhlIHNhbXBsZSBub25jZQ==", false)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ-=", false)]
    [InlineData("", false)]
    public void A_key_is_sixteen_bytes(string key, bool isGood) => Assert.Equal(isGood, WebSocketHandshake.IsKey(key));

    private static FrameStatus Read(ReadOnlySpan<byte> bytes, out (WebSocketFrameHeader Header, int Length) result)
    {
        var status = WebSocketFrameHeader.TryRead(bytes, out var header, out var length);
        result = (header, length);
        return status;
    }
}
