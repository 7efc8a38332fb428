using System.Text.Json;
using System.Text.RegularExpressions;
using Portico.Protocol.Framing;
using Xunit;

namespace Portico.Protocol.Tests.Framing;

public partial class TransportVectorTests
{
    private const string File = "transports.json";

    public static TheoryData<int> Encoded => Vectors.Indexes(File, "encode");

    public static TheoryData<int> Decoded => Vectors.Indexes(File, "decode");

    public static TheoryData<int> QuickAcks => Vectors.Indexes(File, "quick_ack_to_client");

    [Theory]
    [MemberData(nameof(Encoded))]
    public void Packets_are_written_as_recorded(int index)
    {
        var item = Vectors.Cases(File, "encode")[index];

        Assert.Equal(
            item.Hex("frame"),
            Codecs.Write(item.ReadTransport("transport"), item.Hex("payload"), Padding(item), item.GetProperty("quickack").GetBoolean()));
    }

    [Theory]
    [MemberData(nameof(Encoded))]
    public void A_packet_the_proxy_can_emit_reaches_a_client_unchanged(int index)
    {
        var item = Vectors.Cases(File, "encode")[index];
        var forClients = !item.TryGetProperty("proxy_can_emit", out var canEmit) || canEmit.GetBoolean();
        if (!forClients || item.GetProperty("quickack").GetBoolean() || item.Hex("payload").Length == 0)
            return;

        var frame = item.Hex("frame");
        Segmentation.AssertDecides(
            frame, Codecs.FromServer(item.ReadTransport("transport")), FrameStatus.Ok,
            Packet(frame.Length, item.Hex("payload").Length, Padding(item).Length, quickAck: false));
    }

    [Theory]
    [MemberData(nameof(Decoded))]
    public void Streams_are_read_as_recommended(int index)
    {
        var item = Vectors.Cases(File, "decode")[index];
        var (stream, transport) = (item.Hex("stream"), item.ReadTransport("transport"));
        var parse = Codecs.FromClient(transport);
        var expected = item.GetProperty("expected");

        if (Refusal(item) is { } reason)
        {
            Segmentation.AssertDecides(stream, parse, FrameStatus.Invalid, (default, reason));
            return;
        }

        if (expected.TryGetProperty("incomplete", out _))
        {
            Segmentation.AssertDecides(stream, parse, FrameStatus.NeedMoreData, default);
            return;
        }

        var payload = expected.Hex("payload");
        var consumed = stream.Length - expected.Hex("rest").Length;
        Assert.Equal(FrameStatus.Ok, parse(stream, out var result));
        Assert.Equal(payload, stream.AsSpan(result.Frame.PayloadOffset, result.Frame.PayloadLength));
        Segmentation.AssertDecides(stream, parse, FrameStatus.Ok,
            (
                new Frame(result.Frame.PayloadOffset, payload.Length, consumed, expected.GetProperty("quickack").GetBoolean()),
                ProtocolError.None));
    }

    [Theory]
    [MemberData(nameof(QuickAcks))]
    public void Quick_acknowledgements_are_recognised_by_a_client_in_every_form(int index)
    {
        var item = Vectors.Cases(File, "quick_ack_to_client")[index];
        var (wire, transport) = (item.Hex("wire"), item.ReadTransport("transport"));
        var parse = Codecs.FromServer(transport);

        Assert.Equal(FrameStatus.Ok, parse(wire, out var result));
        var confirm = new byte[QuickAckToken.Length];
        QuickAckToken.Read(transport, wire.AsSpan(result.Frame.PayloadOffset, result.Frame.PayloadLength), confirm);

        Assert.Equal(item.Hex("confirm"), confirm);
        Segmentation.AssertDecides(
            wire, parse, FrameStatus.Ok,
            (new Frame(wire.Length - QuickAckToken.Length, QuickAckToken.Length, wire.Length, QuickAck: true), ProtocolError.None));
    }

    [Theory]
    [MemberData(nameof(QuickAcks))]
    public void Quick_acknowledgements_are_sent_in_the_short_form(int index)
    {
        var item = Vectors.Cases(File, "quick_ack_to_client")[index];
        var recorded = Vectors.Cases(File, "quick_ack_to_client")
            .Where(other => other.Text("transport") == item.Text("transport")).Select(other => other.Hex("wire"));
        var wire = new byte[QuickAckToken.Length];

        QuickAckToken.Write(item.ReadTransport("transport"), item.Hex("confirm"), wire);

        Assert.Contains(wire, recorded);
    }

    private static byte[] Padding(JsonElement item) => item.TryGetProperty("padding", out _) ? item.Hex("padding") : [];

    private static (Frame Frame, ProtocolError Reason) Packet(int whole, int payload, int padding, bool quickAck) =>
        (new Frame(whole - payload - padding, payload, whole, quickAck), ProtocolError.None);

    /// <summary>The reason for which a stream must be refused: the recommendation, where there is one, else what was recorded.</summary>
    private static ProtocolError? Refusal(JsonElement item)
    {
        string? tag = null;
        if (item.TryGetProperty("recommended", out var recommended))
        {
            var match = RecommendedReason().Match(recommended.GetString()!);
            Assert.True(match.Success || recommended.GetString()!.StartsWith("accept", StringComparison.Ordinal), recommended.GetString());
            tag = match.Success ? match.Groups[1].Value : null;
        }
        else if (item.GetProperty("expected").TryGetProperty("error", out var error))
        {
            tag = error.GetString();
        }

        return tag is null ? null : Enum.GetValues<ProtocolError>().Single(value => value.Tag() == tag);
    }

    [GeneratedRegex(@"protocol_error/(\w+)")]
    private static partial Regex RecommendedReason();
}
