using System.Text.Json;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class RelayStreamsTests
{
    private const int DefaultStreams = 128;

    private readonly RelayBatch _batch = new();

    public static TheoryData<int> Sessions => WebVectors.Indexes("sessions");

    [Theory]
    [MemberData(nameof(Sessions))]
    public void Sessions_go_as_recorded_however_their_batches_are_cut(int index)
    {
        var item = WebVectors.Cases("sessions")[index];
        foreach (var pieceLength in new[] { int.MaxValue, 1, 2, 3, 7, 8, 9, 13 })
        {
            var session = new RelayStreams(item.Optional("max_streams")?.GetInt32() ?? DefaultStreams);
            foreach (var step in item.GetProperty("steps").EnumerateArray())
                Take(session, step, pieceLength);
            if (item.Optional("left") is { } left)
                AssertLeft(left, session);
        }
    }

    [Theory]
    [MemberData(nameof(Sessions))]
    public void A_batch_that_is_cut_off_changes_nothing(int index)
    {
        var item = WebVectors.Cases("sessions")[index];
        var (session, untouched) = (new RelayStreams(DefaultStreams), new RelayStreams(DefaultStreams));
        foreach (var body in item.GetProperty("steps").EnumerateArray()
            .Where(step => step.TryGetProperty("up", out _)).Select(step => step.Body("up")).Where(body => body.Length < 4096))
        {
            foreach (var beginning in Segmentation.Truncations(body))
            {
                var sequence = WebVectors.Join([beginning]);
                if (WebBatchReader.Check(sequence) == WebProxyError.None)
                    continue;
                Assert.False(session.TryAccept(sequence, null, _batch, out _));
                Assert.True(_batch.Events.IsEmpty);
            }

            var isAccepted = untouched.TryAccept(WebVectors.Join(body), null, new RelayBatch(), out var expected);
            Assert.Equal(isAccepted, session.TryAccept(WebVectors.Join(body), null, _batch, out var error));
            Assert.Equal((expected, untouched.Count), (error, session.Count));
        }
    }

    [Fact]
    public void A_refused_batch_is_taken_back_whole_even_beyond_what_is_remembered()
    {
        // The memory of closed streams is full, so that each one more drops the oldest.
        var session = new RelayStreams(DefaultStreams);
        for (var stream = 1u; stream <= ClosedStreams.Capacity + 10; stream++)
            Accept(session, Open(stream), Close(stream));
        Accept(session, Open(5000), Data(5000, 7));

        Assert.Equal(WebProxyError.UnknownStream, Refuse(
            session, Close(5000), Open(6000), Close(6000), Open(6001), Data(6001, 3), Window(6001, 9), Close(6001), Data(9999, 1)));

        Assert.Equal(1, session.Count);
        // The oldest that is remembered is still 11, 5000 is open with what it had, and 6000 was never there.
        Assert.Equal(WebProxyError.UnknownStream, Refuse(session, Data(10, 1)));
        Accept(session, Data(11, 1), Data(5000, (int)RelayStreams.InitialWindow / 4 - 7), Open(6000));
        Assert.Equal(WebProxyError.StreamReused, Refuse(session, Open(6000)));
    }

    [Fact]
    public void What_a_refused_batch_closed_takes_no_place_among_what_is_remembered()
    {
        var session = new RelayStreams(DefaultStreams);
        Accept(session, Open(1), Close(1), Open(2), Close(2));
        Assert.Equal(WebProxyError.UnknownStream, Refuse(session, Open(3), Close(3), Open(4), Close(4), Data(9999, 1)));

        for (var stream = 5u; stream < 5 + ClosedStreams.Capacity - 2; stream++)
            Accept(session, Open(stream), Close(stream));
        Accept(session, Data(1, 1), Data(2, 1), Open(6000), Close(6000));

        Assert.Equal(WebProxyError.UnknownStream, Refuse(session, Data(1, 1)));
        Accept(session, Data(2, 1));
    }

    [Fact]
    public void A_batch_beyond_the_limit_of_streams_costs_only_the_streams_beyond_it()
    {
        var session = new RelayStreams(2);
        Accept(session, Open(1), Open(2), Open(3), Data(3, 1), Data(2, 1), Close(1), Open(4));

        Assert.Equal(
            [RelayEventKind.Opened, RelayEventKind.Opened, RelayEventKind.Rejected, RelayEventKind.Ignored, RelayEventKind.Data,
                RelayEventKind.Closed, RelayEventKind.Opened],
            Kinds());
        Assert.False(session.Close(3));
        Assert.True(session.Close(4));
        Assert.False(session.Close(4));
    }

    [Fact]
    public void Nothing_is_sent_or_given_back_for_a_closed_stream()
    {
        var session = new RelayStreams(2);
        Accept(session, Open(1), Data(1, 100));
        Assert.Equal(50, session.Spend(1, 50));
        Assert.True(session.TryGiveCredit(1, 100));
        Accept(session, Close(1));

        Assert.Equal(0, session.Spend(1, 50));
        Assert.False(session.TryGiveCredit(1, 1));
    }

    [Fact]
    public void Credit_for_bytes_that_never_came_is_our_mistake()
    {
        var session = new RelayStreams(2);
        Accept(session, Open(1), Data(1, 100));

        Assert.Throws<ArgumentOutOfRangeException>(() => session.TryGiveCredit(1, 101));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.TryGiveCredit(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Spend(1, -1));
        Assert.True(session.TryGiveCredit(1, 100));
    }

    [Fact]
    public void Bytes_of_a_batch_are_let_go_when_the_batch_is_cleared()
    {
        Accept(new RelayStreams(2), Open(1), Data(1, 100));
        Assert.Equal(100, _batch.Events[1].Payload.Length);

        _batch.Clear();

        Assert.True(_batch.Events.IsEmpty);
    }

    [Fact]
    public void Accepting_allocates_nothing_once_the_memory_is_there()
    {
        var session = new RelayStreams(DefaultStreams);
        var data = WebVectors.Join([.. Data(1, 100), .. Window(1, 5), .. WebVectors.Frame(WebFrameType.Pong, 0, 1)]);
        Accept(session, Open(1));
        Again();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            Again();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Again()
        {
            Assert.True(session.TryAccept(data, null, _batch, out _));
            Assert.True(session.TryGiveCredit(1, 100));
            Assert.True(session.Spend(1, 10) == 10);
        }
    }

    private static byte[] Open(uint stream) => WebVectors.Frame(WebFrameType.Open, stream);

    private static byte[] Close(uint stream) => WebVectors.Frame(WebFrameType.Close, stream);

    private static byte[] Data(uint stream, int length) => WebVectors.Frame(WebFrameType.Data, stream, new byte[length]);

    private static byte[] Window(uint stream, byte credit) => WebVectors.Frame(WebFrameType.Window, stream, 0, 0, 0, credit);

    private void Accept(RelayStreams session, params byte[][] frames)
    {
        Assert.True(session.TryAccept(WebVectors.Join(frames), null, _batch, out var error), error.Tag());
        Assert.Equal(frames.Length, _batch.Events.Length);
    }

    private WebProxyError Refuse(RelayStreams session, params byte[][] frames)
    {
        Assert.False(session.TryAccept(WebVectors.Join(frames), null, _batch, out var error));
        Assert.True(_batch.Events.IsEmpty);
        return error;
    }

    private List<RelayEventKind> Kinds() => [.. _batch.Events.ToArray().Select(one => one.Kind)];

    private void Take(RelayStreams session, JsonElement step, int pieceLength)
    {
        if (step.TryGetProperty("up", out _))
            TakeUp(session, step, pieceLength);
        else if (step.TryGetProperty("drained", out var drained))
            Assert.Equal(
                Hexes(step, "frames"),
                session.TryGiveCredit(drained[0].GetUInt32(), drained[1].GetUInt32())
                    ? [Hex(WebVectors.Written(bytes => WebFrame.WriteWindow(bytes, drained[0].GetUInt32(), drained[1].GetUInt32())))]
                    : []);
        else if (step.TryGetProperty("backend", out var sent))
        {
            var allowed = session.Spend(sent[0].GetUInt32(), sent[1].GetInt32());
            Assert.Equal(step.GetProperty("frames").EnumerateArray().Sum(frame => frame[2].GetInt32()), allowed);
            if (session.Spend(sent[0].GetUInt32(), 0) == 0 && step.GetProperty("frames").GetArrayLength() > 0)
                Assert.Equal(step.GetProperty("held").GetInt32(), sent[1].GetInt32() - allowed);
        }
        else if (step.TryGetProperty("backend_closed", out var closed))
            Assert.Equal(
                Hexes(step, "frames"),
                session.Close(closed.GetUInt32())
                    ? [Hex(WebVectors.Written(bytes => WebFrame.WriteClose(bytes, closed.GetUInt32())))]
                    : []);
        else
            for (var stream = step.GetProperty("many")[0].GetUInt32(); stream <= step.GetProperty("many")[1].GetUInt32(); stream++)
                Accept(session, Open(stream), Close(stream));
    }

    private void TakeUp(RelayStreams session, JsonElement step, int pieceLength)
    {
        var body = step.Body("up");
        var parts = body.Chunk(Math.Min(pieceLength, Math.Max(1, body.Length)));
        // A megabyte byte by byte says nothing that a kilobyte does not.
        var sequence = body.Length > 4096 ? WebVectors.Join(body) : WebVectors.Join([.. parts]);
        var expected = step.GetProperty("expected");

        var isAccepted = session.TryAccept(sequence, step.Optional("lane")?.GetUInt32(), _batch, out var error);

        Assert.Equal(WebVectors.ErrorOf(expected.TextOrNull("error")), error);
        Assert.Equal(error == WebProxyError.None, isAccepted);
        Assert.Equal(
            isAccepted ? expected.GetProperty("events").EnumerateArray().Select(one => string.Join(' ', one.EnumerateArray())) : [],
            _batch.Events.ToArray().Select(Describe));
        Assert.Equal(
            isAccepted ? Hexes(expected, "frames") : [],
            _batch.Events.ToArray().Where(one => one.Kind == RelayEventKind.Rejected)
                .Select(one => Hex(WebVectors.Written(bytes => WebFrame.WriteClose(bytes, one.Stream)))));
    }

    private static string Describe(RelayEvent one) => one.Kind switch
    {
        RelayEventKind.Opened => $"open {one.Stream}",
        RelayEventKind.Rejected => $"rejected {one.Stream}",
        RelayEventKind.Data => $"data {one.Stream} {one.Payload.Length}",
        RelayEventKind.Credit => $"credit {one.Stream} {one.SendWindow}",
        RelayEventKind.Closed => $"close {one.Stream}",
        RelayEventKind.Ignored => $"ignored {one.Stream}",
        _ => $"pong {Hex(System.Buffers.BuffersExtensions.ToArray(one.Payload))}",
    };

    // What is left of both windows is found out by using it up.
    private void AssertLeft(JsonElement left, RelayStreams session)
    {
        Assert.Equal(left.EnumerateObject().Count(), session.Count);
        foreach (var stream in left.EnumerateObject())
        {
            var id = uint.Parse(stream.Name, System.Globalization.CultureInfo.InvariantCulture);
            var (receive, send) = (stream.Value[0].GetInt64(), stream.Value[1].GetInt64());
            for (var rest = receive; rest > 0; rest -= WebFrameHeader.MaxPayload)
                Accept(session, Data(id, (int)Math.Min(rest, WebFrameHeader.MaxPayload)));
            Assert.Equal(WebProxyError.WindowOverrun, Refuse(session, Data(id, 1)));
            var sent = 0L;
            while (session.Spend(id, int.MaxValue) is var allowed and > 0)
                sent += allowed;
            Assert.Equal(send, sent);
        }
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private static IEnumerable<string> Hexes(JsonElement item, string property) =>
        item.GetProperty(property).EnumerateArray().Select(frame => frame.GetString()!);
}
