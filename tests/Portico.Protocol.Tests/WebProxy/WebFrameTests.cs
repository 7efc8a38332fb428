using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class WebFrameTests
{
    public static TheoryData<int> Encoded => WebVectors.Indexes("frames", "encode");

    [Theory]
    [MemberData(nameof(Encoded))]
    public void Frames_are_written_and_read_as_recorded(int index)
    {
        var item = WebVectors.Cases("frames", "encode")[index];
        var (stream, payload, frame) = (item.UInt32("stream"), item.Hex("payload"), item.Hex("frame"));
        var type = (WebFrameType)item.GetProperty("type").GetByte();

        Assert.Equal(item.Text("name"), type.ToString().ToUpperInvariant());
        Assert.Equal(frame, Write(type, stream, payload));
        Segmentation.AssertDecides(
            frame[..WebFrameHeader.Length], Parse, FrameStatus.Ok, (new WebFrameHeader(type, stream, payload.Length), WebProxyError.None));
        AssertBatch(frame, (type, stream, payload));
    }

    [Fact]
    public void Hello_and_welcome_are_the_recorded_bytes()
    {
        var frames = WebVectors.Cases("frames", "encode").ToLookup(item => item.Text("name"), item => item.Hex("frame"));

        Assert.Equal(frames["HELLO"].Single(), WebFrame.Hello.ToArray());
        Assert.Equal(frames["WELCOME"].Single(), WebFrame.Welcome.ToArray());
    }

    [Theory]
    [InlineData("00", WebProxyError.UnknownType)]
    [InlineData("07", WebProxyError.UnknownType)]
    [InlineData("0f000001", WebProxyError.UnknownType)]
    [InlineData("14", WebProxyError.UnknownType)]
    [InlineData("1e", WebProxyError.UnknownType)]
    [InlineData("20", WebProxyError.UnknownType)]
    [InlineData("ff", WebProxyError.UnknownType)]
    [InlineData("0200000100100001", WebProxyError.TooLarge)]
    [InlineData("02000001ffffffff", WebProxyError.TooLarge)]
    [InlineData("0200000180000000", WebProxyError.TooLarge)]
    public void A_header_that_cannot_be_is_refused_before_its_payload(string hex, WebProxyError error) =>
        Segmentation.AssertDecides(Vectors.Hex(hex), Parse, FrameStatus.Invalid, (default(WebFrameHeader), error));

    [Theory]
    [InlineData("")]
    [InlineData("02")]
    [InlineData("0200000100100000", false)]
    [InlineData("020000ffffffff")]
    public void A_header_that_may_be_right_is_waited_for(string hex, bool isCut = true) =>
        Segmentation.AssertDecides(
            Vectors.Hex(hex), Parse, isCut ? FrameStatus.NeedMoreData : FrameStatus.Ok,
            (new WebFrameHeader(WebFrameType.Data, 1, WebFrameHeader.MaxPayload), WebProxyError.None));

    [Fact]
    public void Every_type_there_is_and_no_other_is_read()
    {
        for (var type = 0; type < 256; type++)
        {
            byte[] header = [(byte)type, 0xff, 0xff, 0xff, 0, 0, 0, 0];
            var isKnown = Enum.IsDefined((WebFrameType)type);

            Assert.Equal(isKnown ? FrameStatus.Ok : FrameStatus.Invalid, WebFrameHeader.TryRead(header, out var read, out _));
            Assert.Equal(isKnown ? new WebFrameHeader((WebFrameType)type, WebFrameHeader.MaxStream, 0) : default, read);
        }
    }

    [Fact]
    public void What_ends_an_apps_carrier_cannot_be_written()
    {
        var bytes = new byte[2 * WebFrame.MaxEcho];

        Assert.Throws<ArgumentOutOfRangeException>(() => WebFrame.WriteDataHeader(bytes, 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => WebFrame.WriteDataHeader(bytes, 1, WebFrameHeader.MaxPayload + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => WebFrame.WriteDataHeader(bytes, WebFrameHeader.MaxStream + 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => WebFrame.WriteWindow(bytes, 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => WebFrame.WritePing(bytes, new byte[WebFrame.MaxEcho + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => WebFrame.WritePong(bytes, new byte[WebFrame.MaxEcho + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WebFrameHeader(WebFrameType.Bye, 0, -1).Write(bytes));
    }

    [Fact]
    public void Every_error_has_a_name_of_its_own()
    {
        var tags = Enum.GetValues<WebProxyError>().Select(error => error.Tag()).ToList();

        Assert.Equal(tags.Count, tags.Distinct().Count());
        Assert.All(tags, tag => Assert.Matches("^[a-z_]+$", tag));
    }

    private static byte[] Write(WebFrameType type, uint stream, byte[] payload) => type switch
    {
        WebFrameType.Hello => WebFrame.Hello.ToArray(),
        WebFrameType.Welcome => WebFrame.Welcome.ToArray(),
        WebFrameType.Open => WebVectors.Written(bytes => WebFrame.WriteOpen(bytes, stream)),
        WebFrameType.Close => WebVectors.Written(bytes => WebFrame.WriteClose(bytes, stream)),
        WebFrameType.Data => [.. WebVectors.Written(bytes => WebFrame.WriteDataHeader(bytes, stream, payload.Length)), .. payload],
        WebFrameType.Window => WebVectors.Written(
            bytes => WebFrame.WriteWindow(bytes, stream, WebFrame.ReadWindow(WebVectors.Join(payload)))),
        WebFrameType.Ping => WebVectors.Written(bytes => WebFrame.WritePing(bytes, payload)),
        WebFrameType.Pong => WebVectors.Written(bytes => WebFrame.WritePong(bytes, payload)),
        // Ours is empty; apps take any payload.
        _ => [.. WebVectors.Written(WebFrame.WriteBye)[..^1], (byte)payload.Length, .. payload],
    };

    private static void AssertBatch(byte[] bytes, (WebFrameType Type, uint Stream, byte[] Payload) expected)
    {
        var reader = new WebBatchReader(WebVectors.Join(bytes));
        Assert.True(reader.TryRead(out var frame));
        Assert.Equal((expected.Type, expected.Stream), (frame.Type, frame.Stream));
        Assert.Equal(expected.Payload, System.Buffers.BuffersExtensions.ToArray(frame.Payload));
        Assert.False(reader.TryRead(out _));
        Assert.Equal(WebProxyError.None, reader.Error);
    }

    private static FrameStatus Parse(ReadOnlySpan<byte> bytes, out (WebFrameHeader Header, WebProxyError Error) result)
    {
        var status = WebFrameHeader.TryRead(bytes, out var header, out var error);
        result = (header, error);
        return status;
    }
}
