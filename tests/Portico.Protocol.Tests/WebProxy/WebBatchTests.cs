using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

/// <summary>The relay's reader of whole batches and the app's of batches in pieces: what the one says, the other must.</summary>
public class WebBatchTests
{
    private sealed record Read(WebFrameType Type, uint Stream, int Length, string Digest);

    public static TheoryData<int> Batches => WebVectors.Indexes("frames", "batches");

    public static TheoryData<int> Shapes => WebVectors.Indexes("frames", "uplink_shape");

    public static TheoryData<int> Hellos => WebVectors.Indexes("frames", "hello");

    [Theory]
    [MemberData(nameof(Batches))]
    public void Batches_are_read_as_recorded_however_they_arrive(int index)
    {
        var item = WebVectors.Cases("frames", "batches")[index];
        var (body, expected) = (item.Body("body"), item.GetProperty("expected"));
        var error = WebVectors.ErrorOf(expected.TextOrNull("error"));

        foreach (var (how, parts) in WebVectors.Deliveries(body))
        {
            var whole = ReadWhole(WebVectors.Join(parts), out var wholeError);
            var pieces = ReadPieces(parts, out var piecesError);

            Assert.True(error == wholeError, $"{how}: {wholeError}");
            // Half a header of an unknown type is refused by whoever reads on while the rest is on its way.
            Assert.True(error == piecesError || error == WebProxyError.Incomplete, $"{how}: {piecesError}");
            Assert.Equal(whole, pieces);
            if (error == WebProxyError.None)
                AssertFrames(expected, whole);
        }
    }

    [Theory]
    [MemberData(nameof(Batches))]
    public void A_batch_cut_between_frames_is_one_and_cut_inside_one_is_incomplete(int index)
    {
        var item = WebVectors.Cases("frames", "batches")[index];
        if (item.GetProperty("expected").TryGetProperty("error", out _))
            return;
        var body = item.Body("body");
        var borders = new HashSet<long>();
        var at = 0L;
        foreach (var frame in ReadWhole(WebVectors.Join(body), out _))
            borders.Add(at += WebFrameHeader.Length + frame.Length);

        foreach (var cut in Enumerable.Range(1, Math.Min(body.Length, 200) - 1).Append(body.Length - 1))
        {
            var sequence = WebVectors.Join(body[..cut]);
            Assert.Equal(borders.Contains(cut) ? WebProxyError.None : WebProxyError.Incomplete, WebBatchReader.Check(sequence));
        }
    }

    [Fact]
    public void A_batch_of_two_MiB_is_read_and_one_byte_more_is_not()
    {
        // Two frames fill it: a payload of 1 MiB, and one that lacks both headers.
        var first = WebVectors.Frame(WebFrameType.Data, 1, new byte[WebFrameHeader.MaxPayload]);
        var second = WebVectors.Frame(WebFrameType.Data, 2, new byte[WebFrameHeader.MaxPayload - 2 * WebFrameHeader.Length]);
        byte[] full = [.. first, .. second], more = [.. first, .. second, 1];

        Assert.Equal(WebBatchReader.MaxLength, full.Length);
        Assert.Equal(2, ReadWhole(WebVectors.Join(full), out var error).Count);
        Assert.Equal(WebProxyError.None, error);
        Assert.Empty(ReadWhole(WebVectors.Join(more), out error));
        Assert.Equal(WebProxyError.BatchTooLarge, error);
        Assert.Equal(2, ReadPieces([full, new byte[] { 1 }], out error).Count);
        Assert.Equal(WebProxyError.BatchTooLarge, error);
    }

    [Fact]
    public void A_reader_of_pieces_keeps_what_arrived_and_not_what_is_announced()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var reader = new WebFrameReader();
        reader.Append([2, 0, 0, 1, 0, 0x10, 0, 0]);
        Assert.Equal(FrameStatus.NeedMoreData, reader.TryRead(out _, out _, out _));
        Assert.Equal(WebProxyError.Incomplete, reader.AtEnd);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
    }

    [Fact]
    public void A_refusal_is_for_good()
    {
        var reader = new WebFrameReader();
        reader.Append([0xff]);
        Assert.Equal(FrameStatus.Invalid, reader.TryRead(out _, out _, out var error));
        reader.Append(WebFrame.Welcome);
        Assert.Equal(FrameStatus.Invalid, reader.TryRead(out _, out _, out _));
        Assert.Equal((WebProxyError.UnknownType, WebProxyError.UnknownType), (error, reader.AtEnd));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Frames_of_apps_have_the_recorded_shapes(int index)
    {
        var item = WebVectors.Cases("frames", "uplink_shape")[index];

        foreach (var (_, parts) in WebVectors.Deliveries(item.Hex("frame")))
        {
            var reader = new WebBatchReader(WebVectors.Join(parts));
            Assert.True(reader.TryRead(out var frame));
            Assert.Equal(WebVectors.ErrorOf(item.TextOrNull("expected")), UplinkShape.Check(frame));
            Assert.False(reader.TryRead(out _));
        }
    }

    [Theory]
    [MemberData(nameof(Hellos))]
    public void A_session_begins_with_HELLO_and_nothing_else(int index)
    {
        var item = WebVectors.Cases("frames", "hello")[index];

        foreach (var (_, parts) in WebVectors.Deliveries(item.Hex("body")))
            Assert.Equal(item.GetProperty("accepted").GetBoolean(), UplinkShape.IsHello(WebVectors.Join(parts)));
        foreach (var beginning in Segmentation.Truncations(item.Hex("body")))
            Assert.Equal(beginning.Span.SequenceEqual(WebFrame.Hello), UplinkShape.IsHello(WebVectors.Join([beginning])));
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        byte[][] frames =
        [
            WebVectors.Frame(WebFrameType.Open, 1), WebVectors.Frame(WebFrameType.Data, 1, 1, 2, 3),
            WebVectors.Frame(WebFrameType.Window, 1, 0, 0, 1, 0),
        ];
        var whole = WebVectors.Join([.. frames.SelectMany(frame => frame)]);
        var parts = WebVectors.Join([.. frames.SelectMany(frame => frame).Select(one => new[] { one })]);
        Check(whole, parts);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
            Check(whole, parts);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Check(in ReadOnlySequence<byte> whole, in ReadOnlySequence<byte> parts)
        {
            Assert.True(WebBatchReader.Check(whole) == WebProxyError.None);
            Assert.True(WebBatchReader.Check(parts) == WebProxyError.None);
        }
    }

    [Fact]
    public void Reading_pieces_allocates_nothing_once_the_memory_is_there()
    {
        var frame = WebVectors.Frame(WebFrameType.Data, 1, new byte[100]);
        var reader = new WebFrameReader();
        Feed(ref reader, frame);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            Feed(ref reader, frame);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Feed(ref WebFrameReader reader, byte[] frame)
        {
            reader.Append(frame.AsSpan(0, 50));
            Assert.True(reader.TryRead(out _, out _, out _) == FrameStatus.NeedMoreData);
            reader.Append(frame.AsSpan(50));
            Assert.True(reader.TryRead(out _, out var payload, out _) == FrameStatus.Ok && payload.Length == 100);
        }
    }

    private static void AssertFrames(JsonElement expected, List<Read> frames)
    {
        if (expected.TryGetProperty("count", out var count))
        {
            Assert.Equal(count.GetInt32(), frames.Count);
            return;
        }

        Assert.Equal(
            expected.GetProperty("frames").EnumerateArray().Select(frame => new Read(
                (WebFrameType)frame[0].GetByte(), frame[1].GetUInt32(), frame[2].GetInt32(), frame[3].GetString()!)),
            frames);
    }

    private static List<Read> ReadWhole(ReadOnlySequence<byte> batch, out WebProxyError error)
    {
        var frames = new List<Read>();
        var reader = new WebBatchReader(batch);
        while (reader.TryRead(out var frame))
            frames.Add(Of(frame.Type, frame.Stream, frame.Payload.ToArray()));
        error = reader.Error;
        Assert.False(reader.TryRead(out _));
        Assert.Equal(frames.Count, reader.Frames);
        Assert.Equal(error, WebBatchReader.Check(batch));
        return frames;
    }

    private static List<Read> ReadPieces(IEnumerable<Memory<byte>> parts, out WebProxyError error)
    {
        var frames = new List<Read>();
        var reader = new WebFrameReader();
        foreach (var part in parts)
        {
            reader.Append(part.Span);
            while (reader.TryRead(out var header, out var payload, out _) == FrameStatus.Ok)
                frames.Add(Of(header.Type, header.Stream, payload.ToArray()));
        }

        error = reader.AtEnd;
        return frames;
    }

    private static Read Of(WebFrameType type, uint stream, byte[] payload) =>
        new(type, stream, payload.Length, Convert.ToHexStringLower(SHA256.HashData(payload))[..16]);
}
