using FsCheck;
using FsCheck.Fluent;
using Portico.Protocol.Framing;
using Xunit;

namespace Portico.Protocol.Tests.Framing;

/// <summary>The framing properties of spec/05 section 9.3. A failure prints the seed that repeats it.</summary>
public class FramingProperties
{
    private sealed record Packet(byte[] Payload, byte[] Padding, bool QuickAck);

    public static TheoryData<Transport> Transports => Codecs.All;

    [Theory]
    [MemberData(nameof(Transports))]
    public void A_packet_of_a_client_is_read_as_it_was_written(Transport transport) => Prop.ForAll(
        Packets(transport, FrameCodec.MaxPaddingFromClient).ToArbitrary(),
        packet =>
        {
            var wire = Write(transport, packet);
            return Codecs.FromClient(transport)(wire, out var read) == FrameStatus.Ok
                && read.Frame.Consumed == wire.Length
                && read.Frame.QuickAck == packet.QuickAck
                && Payload(wire, read.Frame).SequenceEqual(Readable(packet));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [MemberData(nameof(Transports))]
    public void Packets_one_after_the_other_are_the_same_packets_whatever_the_reads(Transport transport) => Prop.ForAll(
        Packets(transport, FrameCodec.MaxPaddingFromClient).ListOf().ToArbitrary(),
        ChunkLengths.ToArbitrary(),
        (packets, chunks) =>
        {
            byte[] wire = [.. packets.SelectMany(packet => Write(transport, packet))];
            var read = ReadInChunks(wire, chunks, Codecs.FromClient(transport));
            return read.Count == packets.Count
                && read.Zip(packets).All(
                    pair => pair.First.QuickAck == pair.Second.QuickAck && pair.First.Payload.SequenceEqual(Readable(pair.Second)));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [MemberData(nameof(Transports))]
    public void Packets_and_acknowledgements_of_a_server_are_told_apart_whatever_the_reads(Transport transport) => Prop.ForAll(
        Packets(transport, maxPadding: 3).ListOf().ToArbitrary(),
        ChunkLengths.ToArbitrary(),
        (packets, chunks) =>
        {
            // A packet marked for quick ack stands for the acknowledgement made of its first four bytes; the server marks the last of them.
            byte[] wire =
                [.. packets.SelectMany(packet => packet.QuickAck ? Acknowledgement(transport, packet) : Write(transport, packet))];
            var read = ReadInChunks(wire, chunks, Codecs.FromServer(transport));
            return read.Count == packets.Count
                && read.Zip(packets).All(pair => pair.First.QuickAck == pair.Second.QuickAck
                    && pair.First.Payload.SequenceEqual(
                        pair.Second.QuickAck ? Acknowledgement(transport, pair.Second) : pair.Second.Payload));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [MemberData(nameof(Transports))]
    public void Any_bytes_at_all_get_a_status_and_no_packet_reaches_beyond_them(Transport transport) => Prop.ForAll(
        LikelyHeaders.ToArbitrary(),
        bytes => new[] { Codecs.FromClient(transport), Codecs.FromServer(transport) }.All(parse =>
        {
            var status = parse(bytes, out var read);
            return (status == FrameStatus.Invalid) == (read.Reason != ProtocolError.None)
                && (status != FrameStatus.Ok
                    || (read.Frame.Consumed <= bytes.Length && read.Frame.PayloadOffset + read.Frame.PayloadLength <= read.Frame.Consumed))
                && read.Frame.PayloadLength % FrameCodec.Alignment == 0;
        })).QuickCheckThrowOnFailure();

    private static Gen<int[]> ChunkLengths => Gen.Choose(1, 700).NonEmptyListOf().Select(lengths => lengths.ToArray());

    private static Gen<byte[]> Bytes(Gen<int> length) =>
        length.SelectMany(count => Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(count));

    /// <summary>
    /// Few bytes, most of them such as make short lengths and marks:
    /// uniform ones would nearly all be lengths beyond the limits.
    /// </summary>
    private static Gen<byte[]> LikelyHeaders =>
        from length in Gen.Choose(0, 40)
        from bytes in Gen.Frequency(
            (1, Gen.Choose(0, 255).Select(value => (byte)value)), (3, Gen.Elements<byte>(0, 0, 0, 1, 2, 3, 4, 8, 0x7f, 0x80, 0xff)))
            .ArrayOf(length)
        select bytes;

    private static Gen<Packet> Packets(Transport transport, int maxPadding) =>
        from payload in Bytes(Gen.Frequency((3, Gen.Choose(1, 20)), (1, Gen.Choose(120, 135)), (1, Gen.Choose(1, 300)))
            .Select(words => words * FrameCodec.Alignment))
        from padding in Bytes(Gen.Choose(0, transport == Transport.Padded ? maxPadding : 0))
        from quickAck in Gen.Elements(true, false)
        select new Packet(payload, padding, quickAck);

    private static byte[] Write(Transport transport, Packet packet) =>
        Codecs.Write(transport, packet.Payload, packet.Padding, packet.QuickAck);

    /// <summary>What the other side can tell of a packet: whole words of padding look like payload.</summary>
    private static IEnumerable<byte> Readable(Packet packet) =>
        packet.Payload.Concat(packet.Padding.Take(packet.Padding.Length / FrameCodec.Alignment * FrameCodec.Alignment));

    private static byte[] Acknowledgement(Transport transport, Packet packet)
    {
        var wire = new byte[QuickAckToken.Length];
        QuickAckToken.Write(transport, [.. packet.Payload[..3], (byte)(packet.Payload[3] | 0x80)], wire);
        return wire;
    }

    private static byte[] Payload(byte[] wire, Frame frame) => wire.AsSpan(frame.PayloadOffset, frame.PayloadLength).ToArray();

    private static List<(byte[] Payload, bool QuickAck)> ReadInChunks(
        byte[] wire, int[] chunks, ResumableParser<(Frame Frame, ProtocolError Reason)> parse)
    {
        var read = new List<(byte[] Payload, bool QuickAck)>();
        var kept = Array.Empty<byte>();
        for (int at = 0, turn = 0; at < wire.Length; turn++)
        {
            var length = Math.Min(chunks[turn % chunks.Length], wire.Length - at);
            kept = [.. kept, .. wire.AsSpan(at, length)];
            at += length;
            while (parse(kept, out var packet) is var status && status != FrameStatus.NeedMoreData)
            {
                Assert.Equal(FrameStatus.Ok, status);
                read.Add((Payload(kept, packet.Frame), packet.Frame.QuickAck));
                kept = kept[packet.Frame.Consumed..];
            }
        }

        Assert.Empty(kept);
        return read;
    }
}
