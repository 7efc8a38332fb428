using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

public class FullFrameTests
{
    [Theory]
    [InlineData("00000000000000000000000000000000", MiddleProxyError.WrongLength)]
    [InlineData("ffffffffffffffffffffffffffffffff", MiddleProxyError.WrongAlignment)]
    [InlineData("fcffffff00000000", MiddleProxyError.WrongLength)]
    [InlineData("00000080", MiddleProxyError.WrongLength)]
    [InlineData("04000001", MiddleProxyError.WrongLength)]
    [InlineData("08000000", MiddleProxyError.WrongLength)]
    [InlineData("0c000000ffffffff", MiddleProxyError.WrongSequence)]
    [InlineData("0c0000000000000000000000", MiddleProxyError.WrongChecksum)]
    [InlineData("0400000004000000fdffffff", MiddleProxyError.WrongAlignment)]
    public void Hostile_bytes_are_refused_as_soon_as_they_say_enough(string hex, MiddleProxyError error) =>
        Segmentation.AssertDecides(Vectors.Hex(hex), Frames.Parser(0), FrameStatus.Invalid, (default, error));

    [Theory]
    [InlineData("000000")]
    [InlineData("ffffff")]
    [InlineData("040000")]
    public void Three_bytes_say_nothing(string hex) =>
        Segmentation.AssertDecides(Vectors.Hex(hex), Frames.Parser(0), FrameStatus.NeedMoreData, default);

    [Fact]
    public void A_length_beyond_the_callers_limit_is_refused_before_the_body()
    {
        byte[] justRight = [0x00, 0x10, 0, 0], oneWordMore = [0x04, 0x10, 0, 0];

        Segmentation.AssertDecides(justRight, Frames.Parser(0, maxLength: 0x1000), FrameStatus.NeedMoreData, default);
        Segmentation.AssertDecides(
            oneWordMore, Frames.Parser(0, maxLength: 0x1000), FrameStatus.Invalid, (default, MiddleProxyError.WrongLength));
    }

    [Fact]
    public void A_reader_that_lacks_the_body_is_told_what_to_drop_and_what_to_wait_for()
    {
        byte[] padding = [4, 0, 0, 0, 4, 0, 0, 0];
        var frame = Frames.Write(7, new byte[100]);
        var parse = Frames.Parser(7);

        Assert.Equal(FrameStatus.NeedMoreData, parse([.. padding, 112], out var noLength));
        Assert.Equal(new FullFrame(0, 0, padding.Length, 0), noLength.Frame);
        Assert.Equal(FrameStatus.NeedMoreData, parse([.. padding, .. frame[..4]], out var begun));
        Assert.Equal(new FullFrame(0, 0, padding.Length, frame.Length), begun.Frame);
        Assert.Equal(FrameStatus.Ok, parse([.. padding, .. frame], out var whole));
        Assert.Equal(new FullFrame(padding.Length + FullFrame.HeaderLength, 100, padding.Length + frame.Length, frame.Length), whole.Frame);
    }

    [Fact]
    public void Any_amount_of_padding_can_be_dropped_at_once()
    {
        var padding = new byte[1 << 16];
        FullFrame.WritePadding(padding);

        Assert.Equal(FrameStatus.NeedMoreData, Frames.Parser(0)(padding, out var read));
        Assert.Equal(new FullFrame(0, 0, padding.Length, 0), read.Frame);
    }

    [Fact]
    public void The_largest_frame_is_written_and_read_whole()
    {
        var frame = new byte[FullFrame.MaxLength];
        FullFrame.Seal(frame, int.MinValue);

        Assert.Equal(FrameStatus.Ok, Frames.Parser(int.MinValue)(frame, out var read));
        Assert.Equal(frame.Length, read.Frame.Consumed);
        Assert.Throws<ArgumentOutOfRangeException>(() => FullFrame.Seal(new byte[FullFrame.MaxLength + 4], 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(14)]
    public void Lengths_that_cannot_be_expressed_are_refused_by_the_writer(int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FullFrame.Seal(new byte[length], 0));

    [Fact]
    public void A_payload_that_stands_in_its_place_becomes_the_same_frame()
    {
        byte[] payload = [1, 2, 3, 4, 5, 6, 7, 8];
        byte[] inPlace = [0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, .. payload, 0xa5, 0xa5, 0xa5, 0xa5];
        FullFrame.Seal(inPlace, 5);

        Assert.Equal(Frames.Write(5, payload), inPlace);
    }

    [Fact]
    public void Frames_and_requests_are_written_and_read_without_a_byte_of_memory()
    {
        // A packet of 32 bytes makes a frame that ends with its block.
        var wire = new byte[FullFrame.HeaderLength + RpcProxyReq.HeaderLengthWithAdTag + 32 + FullFrame.TrailerLength];
        byte[] address = new byte[RpcAddress.Length], adTag = new byte[AdTag.Length];
        // The first round compiles; what the second one takes is counted.
        Send(wire, address, adTag);
        Receive(wire);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Send(wire, address, adTag);
        var packetOffset = Receive(wire);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(RpcProxyReq.HeaderLengthWithAdTag, packetOffset);
        Assert.Equal(0, FullFrame.PaddingLength(wire.Length));
    }

    private static MiddleProxyCipher Cipher() => new(stackalloc byte[32], stackalloc byte[16]);

    private static void Send(Span<byte> wire, ReadOnlySpan<byte> address, ReadOnlySpan<byte> adTag)
    {
        var header = new RpcProxyReqHeader
        {
            Flags = RpcProxyReqFlags.For(Transport.Padded, hasAdTag: true, isEncrypted: true, quickAck: false),
            ClientAddress = address,
            ProxyAddress = address,
            AdTag = adTag,
        };
        RpcProxyReq.WriteHeader(wire[FullFrame.HeaderLength..], header);
        FullFrame.Seal(wire, 3);
        Cipher().Encrypt(wire);
    }

    private static int Receive(Span<byte> wire)
    {
        Cipher().Decrypt(wire);
        FullFrame.TryRead(wire, 3, checkCrc: true, out var frame, out _);
        var payload = wire.Slice(frame.PayloadOffset, frame.PayloadLength);
        return RpcPacket.Read(payload).Kind == RpcPacketKind.ProxyReq && RpcProxyReq.TryRead(payload, out _, out var packetOffset)
            ? packetOffset
            : 0;
    }
}
