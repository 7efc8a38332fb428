using System.Text.Json;
using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

public class FullFrameVectorTests
{
    private const string File = "mtp_full.json";

    public static TheoryData<int> Recorded => Vectors.Indexes(File, "frames");

    public static TheoryData<int> Streams => Vectors.Indexes(File, "streams");

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Frames_are_written_as_recorded_and_padded_to_a_block(int index)
    {
        var item = Vectors.Cases(File, "frames")[index];
        var frame = Frames.Write(item.GetProperty("seq").GetInt32(), item.Hex("payload"));

        Assert.Equal(item.Hex("frame"), frame);
        Assert.Equal(item.Hex("crc32_le"), frame[^FullFrame.TrailerLength..]);
        Assert.Equal(4 * item.GetProperty("padding_words").GetInt32(), FullFrame.PaddingLength(frame.Length));
        Assert.Equal(item.Hex("padded_to_16"), Frames.Pad(frame));
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Recorded_frames_are_read(int index)
    {
        var item = Vectors.Cases(File, "frames")[index];
        var (frame, payload, sequence) = (item.Hex("frame"), item.Hex("payload"), item.GetProperty("seq").GetInt32());

        Segmentation.AssertDecides(
            frame, Frames.Parser(sequence), FrameStatus.Ok,
            (new FullFrame(FullFrame.HeaderLength, payload.Length, frame.Length, frame.Length), MiddleProxyError.None));
        Frames.AssertReceived(item.Hex("padded_to_16"), () => new FullReceiver(sequence), [payload], MiddleProxyError.None);
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void The_checksum_of_another_polynomial_is_refused_unless_checksums_are_not_looked_at(int index)
    {
        var item = Vectors.Cases(File, "frames")[index];
        var (frame, payload, sequence) = (item.Hex("crc32c_variant_frame"), item.Hex("payload"), item.GetProperty("seq").GetInt32());

        Segmentation.AssertDecides(frame, Frames.Parser(sequence), FrameStatus.Invalid, (default, MiddleProxyError.WrongChecksum));
        Segmentation.AssertDecides(frame, Frames.Parser(sequence, checkCrc: false), FrameStatus.Ok,
            (new FullFrame(FullFrame.HeaderLength, payload.Length, frame.Length, frame.Length), MiddleProxyError.None));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Streams_give_the_recorded_payloads_or_the_recorded_error(int index)
    {
        var item = Vectors.Cases(File, "streams")[index];
        var hasPayloads = item.TryGetProperty("payloads", out var payloads);
        var error = item.TryGetProperty("error", out var tag)
            ? Enum.GetValues<MiddleProxyError>().Single(value => value.Tag() == tag.GetString())
            : MiddleProxyError.None;

        Assert.True(hasPayloads == (error == MiddleProxyError.None));
        Frames.AssertReceived(
            item.Hex("plaintext"),
            () => new FullReceiver(item.GetProperty("first_seq").GetInt32()),
            hasPayloads ? [.. payloads.EnumerateArray().Select(payload => Vectors.Hex(payload.GetString()!))] : [],
            error);
    }

    [Fact]
    public void The_recorded_session_is_encrypted_packet_by_packet_and_received_in_any_pieces()
    {
        var session = Vectors.Load(File).GetProperty("cbc_session");
        var packets = session.GetProperty("packets").EnumerateArray().ToList();
        var cipher = new MiddleProxyCipher(session.Hex("key"), session.Hex("iv"));
        foreach (var packet in packets)
        {
            var wire = Frames.Pad(Frames.Write(packet.GetProperty("seq").GetInt32(), packet.Hex("payload")));
            Assert.Equal(packet.Hex("plaintext_padded"), wire);
            cipher.Encrypt(wire);
            Assert.Equal(packet.Hex("ciphertext"), wire);
        }

        Assert.Equal(5, packets.Count);
        var all = session.Hex("ciphertext_all");
        byte[][] payloads = [.. packets.Select(packet => packet.Hex("payload"))];
        FullReceiver Start() =>
            new(session.GetProperty("first_seq").GetInt32(), new MiddleProxyCipher(session.Hex("key"), session.Hex("iv")));
        Frames.AssertReceived(all, Start, payloads, MiddleProxyError.None);

        var receiver = Start();
        var at = 0;
        foreach (var chunk in session.GetProperty("example_read_chunks").EnumerateArray())
        {
            var length = chunk.ValueKind == JsonValueKind.Number ? chunk.GetInt32() : all.Length - at;
            receiver.Receive(all.AsSpan(at, length));
            at += length;
        }
        Assert.Equal(all.Length, at);
        Assert.Equal(payloads, receiver.Payloads);
        Assert.False(receiver.IsInsideFrame);
    }
}
