using System.Buffers.Binary;
using Portico.Protocol.Framing;
using Portico.Protocol.Mtproto;
using Portico.Protocol.Tests.Framing;
using Xunit;

namespace Portico.Protocol.Tests.Mtproto;

public class PqMessageTests
{
    private const string File = "pq.json";

    public static TheoryData<int> Exchanges => Vectors.Indexes(File, "exchanges");

    public static TheoryData<int> Refused => Vectors.Indexes(File, "refused");

    [Theory]
    [MemberData(nameof(Exchanges))]
    public void A_recorded_question_is_read_and_written_back_the_same(int index)
    {
        var item = Vectors.Cases(File, "exchanges")[index];
        var bytes = item.Hex("request");
        var isMulti = item.GetProperty("multi").GetBoolean();

        foreach (var (_, parts) in Segmentation.Deliveries(bytes).Take(2))
        {
            var read = PqMessage.Read(parts[0].Span);
            Assert.Equal((isMulti ? PqMessageKind.ReqPqMulti : PqMessageKind.ReqPq, true), (read.Kind, read.IsRequest));
            Assert.False(read.HasIdOfAnswer);
            var written = new byte[PqMessage.RequestLength];
            Assert.Equal(written.Length, PqMessage.WriteRequest(written, isMulti, read.MessageId, read.Nonce));
            Assert.Equal(bytes[..written.Length], written);
        }
    }

    [Theory]
    [MemberData(nameof(Exchanges))]
    public void A_recorded_answer_is_read_and_written_back_the_same(int index)
    {
        var item = Vectors.Cases(File, "exchanges")[index];
        var bytes = item.Hex("answer");

        foreach (var (_, parts) in Segmentation.Deliveries(bytes).Take(2))
        {
            var read = PqMessage.Read(parts[0].Span);
            Assert.Equal((PqMessageKind.ResPq, true), (read.Kind, read.HasIdOfAnswer));
            Assert.True(PqMessage.Read(item.Hex("request")).Nonce.SequenceEqual(read.Nonce));
            var written = new byte[PqMessage.AnswerLength];
            var length = PqMessage.WriteAnswer(
                written, read.MessageId, read.Nonce, read.ServerNonce,
                BinaryPrimitives.ReadUInt64BigEndian(read.Pq), BinaryPrimitives.ReadUInt64LittleEndian(read.Fingerprints));
            Assert.Equal(bytes[..length], written);
        }
    }

    [Theory]
    [MemberData(nameof(Exchanges))]
    public void Cut_off_it_is_no_message(int index)
    {
        var item = Vectors.Cases(File, "exchanges")[index];

        foreach (var (name, length) in new[] { ("request", PqMessage.RequestLength), ("answer", PqMessage.AnswerLength) })
        {
            foreach (var beginning in Segmentation.Truncations(item.Hex(name)[..length]))
            {
                var expected = beginning.Length < sizeof(long) ? PqMessageKind.Encrypted : PqMessageKind.Malformed;
                Assert.Equal(expected, PqMessage.Read(beginning.Span).Kind);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Exchanges))]
    public void In_frames_it_arrives_whatever_the_reads(int index)
    {
        var item = Vectors.Cases(File, "exchanges")[index];
        if (item.Optional("transport") is null) return; // printed without its framing
        var transport = item.ReadTransport("transport");

        AssertArrives(item.Hex("packet_to_proxy"), Codecs.FromClient(transport), PqMessageKind.ReqPqMulti);
        AssertArrives(item.Hex("packet_to_client"), Codecs.FromServer(transport), PqMessageKind.ResPq);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_none_of_them_has_the_kind_recorded(int index)
    {
        var item = Vectors.Cases(File, "refused")[index];

        var read = PqMessage.Read(item.Hex("packet"));

        Assert.Equal(item.Text("kind"), $"{read.Kind}");
        Assert.False(read.IsRequest);
        Assert.True(read.Nonce.IsEmpty && read.ServerNonce.IsEmpty && read.Pq.IsEmpty && read.Fingerprints.IsEmpty);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    [InlineData(252)]
    public void A_client_may_count_zeros_behind_its_nonce(int zeros)
    {
        var request = new byte[PqMessage.RequestLength + zeros];
        PqMessage.WriteRequest(request, isMulti: true, messageId: 4, Enumerable.Repeat((byte)7, PqMessage.NonceLength).ToArray());
        BinaryPrimitives.WriteInt32LittleEndian(request.AsSpan(16), request.Length - 20);

        Assert.True(PqMessage.Read(request).IsRequest);
    }

    [Theory]
    [InlineData(1374059204_999, false, 0x51e67ac4_ffbe76c8)]
    [InlineData(0, true, 1)]
    public void A_message_id_is_the_time_and_who_speaks(long milliseconds, bool ofAnswer, long id) =>
        Assert.Equal(id, PqMessage.CreateMessageId(milliseconds, ofAnswer));

    private static void AssertArrives(byte[] stream, ResumableParser<(Frame Frame, ProtocolError Reason)> parse, PqMessageKind kind)
    {
        FrameStatus Read(ReadOnlySpan<byte> bytes, out PqMessageKind found)
        {
            var status = parse(bytes, out var result);
            found = status == FrameStatus.Ok
                ? PqMessage.Read(bytes.Slice(result.Frame.PayloadOffset, result.Frame.PayloadLength)).Kind
                : default;
            return status;
        }

        Segmentation.AssertDecides(stream, Read, FrameStatus.Ok, kind);
    }
}
