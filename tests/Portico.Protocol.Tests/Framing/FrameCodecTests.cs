using Portico.Protocol.Framing;
using Xunit;

namespace Portico.Protocol.Tests.Framing;

public class FrameCodecTests
{
    public static TheoryData<Transport> Transports => Codecs.All;

    [Theory]
    [MemberData(nameof(Transports))]
    public void A_client_may_send_just_under_a_mebibyte(Transport transport)
    {
        var largest = Header(transport, FrameCodec.MaxPacketFromClient - 4);
        var oneMore = Header(transport, FrameCodec.MaxPacketFromClient);

        Assert.Equal(FrameStatus.NeedMoreData, Codecs.FromClient(transport)(largest, out _));
        Assert.Equal(FrameStatus.Invalid, Codecs.FromClient(transport)(oneMore, out var refused));
        Assert.Equal(transport == Transport.Abridged ? ProtocolError.AbridgedMaxSize : ProtocolError.IntermediateMaxSize, refused.Reason);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void A_server_may_send_more_than_a_client(Transport transport)
    {
        var parse = Codecs.FromServer(transport);

        Assert.Equal(FrameStatus.NeedMoreData, parse(Header(transport, FrameCodec.MaxPacketFromServer - 4), out _));
        Assert.Equal(FrameStatus.Invalid, parse(Header(transport, FrameCodec.MaxPacketFromServer), out _));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void A_reader_that_lacks_the_body_is_told_how_long_the_packet_is(Transport transport)
    {
        var payload = new byte[1000];
        var wire = Codecs.Write(transport, payload, [], quickAck: false);

        Assert.Equal(FrameStatus.NeedMoreData, Codecs.FromClient(transport)(wire.AsSpan(0, 4), out var begun));
        Assert.Equal(wire.Length, begun.Frame.Consumed);
        Assert.Equal(FrameStatus.NeedMoreData, Codecs.FromClient(transport)([], out var nothing));
        Assert.Equal(0, nothing.Frame.Consumed);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void The_largest_packet_of_a_client_is_read_whole(Transport transport)
    {
        var wire = Codecs.Write(transport, new byte[FrameCodec.MaxPacketFromClient - 4], [], quickAck: true);

        Assert.Equal(FrameStatus.Ok, Codecs.FromClient(transport)(wire, out var read));
        Assert.Equal(new Frame(4, FrameCodec.MaxPacketFromClient - 4, wire.Length, QuickAck: true), read.Frame);
    }

    [Fact]
    public void Padding_counts_towards_the_limit()
    {
        Assert.Equal(FrameStatus.NeedMoreData, Codecs.FromClient(Transport.Padded)([0xff, 0xff, 0x0f, 0x00], out _));
        Assert.Equal(FrameStatus.Invalid, Codecs.FromClient(Transport.Padded)([0x03, 0x00, 0x10, 0x00], out var refused));
        Assert.Equal(ProtocolError.IntermediateMaxSize, refused.Reason);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void An_intermediate_packet_below_one_word_is_unaligned_and_a_padded_one_is_empty(byte length)
    {
        byte[] wire = [length, 0, 0, 0];

        Segmentation.AssertDecides(
            wire, Codecs.FromClient(Transport.Intermediate), FrameStatus.Invalid, (default, ProtocolError.Unaligned));
        Segmentation.AssertDecides(wire, Codecs.FromClient(Transport.Padded), FrameStatus.Invalid, (default, ProtocolError.ZeroLength));
    }

    [Fact]
    public void An_overlong_empty_packet_is_empty()
    {
        Segmentation.AssertDecides(
            [0x7f, 0, 0, 0], Codecs.FromClient(Transport.Abridged), FrameStatus.Invalid, (default, ProtocolError.ZeroLength));
    }

    [Fact]
    public void A_short_packet_that_begins_with_ones_is_an_acknowledgement_and_a_long_one_is_not()
    {
        var parse = Codecs.FromServer(Transport.Padded);
        byte[] confirm = [1, 2, 3, 0x84];

        foreach (var extra in Enumerable.Range(0, 9))
        {
            var ack = Codecs.Write(Transport.Padded, [0xff, 0xff, 0xff, 0xff, .. confirm], new byte[extra], quickAck: false);
            Segmentation.AssertDecides(ack, parse, FrameStatus.Ok, (new Frame(8, 4, ack.Length, QuickAck: true), ProtocolError.None));
        }

        var message = Codecs.Write(Transport.Padded, [0xff, 0xff, 0xff, 0xff, .. confirm, .. new byte[12]], [], quickAck: false);
        Segmentation.AssertDecides(message, parse, FrameStatus.Ok, (new Frame(4, 20, 24, QuickAck: false), ProtocolError.None));
    }

    [Fact]
    public void Padding_to_clients_is_zero_to_three_bytes_equally_often()
    {
        var lengths =
            Enumerable.Range(0, 256).Select(random => FrameCodec.PaddingToClient(Transport.Padded, (byte)random)).CountBy(length => length);

        Assert.Equal([new(0, 64), new(1, 64), new(2, 64), new(3, 64)], lengths.OrderBy(entry => entry.Key));
        Assert.Equal(0, FrameCodec.PaddingToClient(Transport.Abridged, 3));
        Assert.Equal(0, FrameCodec.PaddingToClient(Transport.Intermediate, 3));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Lengths_that_cannot_be_expressed_are_refused_by_the_writer(Transport transport)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameCodec.WriteHeader(transport, new byte[8], 6, 0, false));
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameCodec.WriteHeader(transport, new byte[8], -4, 0, false));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => FrameCodec.WriteHeader(transport, new byte[8], 4, transport == Transport.Padded ? 16 : 1, false));
    }

    [Fact]
    public void Abridged_ends_where_its_three_bytes_do()
    {
        var header = new byte[4];

        Assert.Equal(4, FrameCodec.WriteHeader(Transport.Abridged, header, 0xffffff * 4, 0, quickAck: true));
        Assert.Equal([0xff, 0xff, 0xff, 0xff], header);
        Assert.Throws<ArgumentOutOfRangeException>(() => FrameCodec.WriteHeader(Transport.Abridged, header, 0x1000000 * 4, 0, false));
    }

    private static byte[] Header(Transport transport, int payloadLength)
    {
        var header = new byte[4];
        return header[..FrameCodec.WriteHeader(transport, header, payloadLength, 0, quickAck: false)];
    }
}
