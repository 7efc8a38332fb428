using System.Globalization;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

public class CarrierCounterTests
{
    public static TheoryData<int> Uplinks => WebVectors.Indexes("uplink_sequences");

    public static TheoryData<int> Downlinks => WebVectors.Indexes("downlink_cursors");

    [Theory]
    [MemberData(nameof(Uplinks))]
    public void Requests_that_carry_frames_up_are_judged_as_recorded(int index)
    {
        var sequence = new UplinkSequence();
        foreach (var step in WebVectors.Cases("uplink_sequences")[index].GetProperty("steps").EnumerateArray())
        {
            var fits = step.Optional("fits")?.GetBoolean() ?? true;
            Assert.Equal(step.Text("expected"), Post(sequence, step.GetProperty("seq").GetUInt64(), step.Hex("body"), fits));
        }
    }

    [Theory]
    [MemberData(nameof(Downlinks))]
    public void Requests_that_ask_for_frames_are_judged_as_recorded(int index)
    {
        var cursor = new DownlinkCursor();
        var waiting = new Queue<string>();
        var kept = "";
        foreach (var step in WebVectors.Cases("downlink_cursors")[index].GetProperty("steps").EnumerateArray())
        {
            if (step.TryGetProperty("queue", out var queued))
                waiting.Enqueue(queued.GetString()!);
            else
                Assert.Equal(step.Text("expected"), Poll(ref cursor, step.GetProperty("cursor").GetUInt64(), waiting, ref kept));
        }
    }

    [Fact]
    public void A_number_that_is_still_worked_on_is_put_off_and_nothing_else_changes()
    {
        var sequence = new UplinkSequence();
        Span<byte> first = stackalloc byte[UplinkSequence.DigestLength], second = stackalloc byte[UplinkSequence.DigestLength];
        second[0] = 1;
        Assert.Equal(UplinkVerdict.Apply, sequence.Begin(1, first));
        Assert.Equal(1ul, sequence.Complete());

        Assert.Equal(UplinkVerdict.Apply, sequence.Begin(2, second));
        Assert.Equal(UplinkVerdict.Busy, sequence.Begin(2, second));
        Assert.Equal(UplinkVerdict.Busy, sequence.Begin(2, first));
        Assert.Equal(UplinkVerdict.Repeat, sequence.Begin(1, first));
        Assert.Equal(UplinkVerdict.Refuse, sequence.Begin(0, first));
        Assert.Equal(UplinkVerdict.End, sequence.Begin(3, first));
        sequence.Abandon();
        Assert.Equal(1ul, sequence.Last);
        Assert.Equal(UplinkVerdict.Apply, sequence.Begin(2, first));
        Assert.Equal(2ul, sequence.Complete());
        Assert.Equal(UplinkVerdict.Repeat, sequence.Begin(2, first));
        Assert.Equal(UplinkVerdict.End, sequence.Begin(2, second));
    }

    [Fact]
    public void What_is_not_under_way_cannot_end()
    {
        var sequence = new UplinkSequence();
        var cursor = new DownlinkCursor();
        cursor.Send();

        Assert.Throws<InvalidOperationException>(() => sequence.Complete());
        Assert.Throws<InvalidOperationException>(sequence.Abandon);
        Assert.Throws<InvalidOperationException>(() => cursor.Send());
    }

    [Fact]
    public void A_body_has_one_digest_however_it_arrived()
    {
        var body = Enumerable.Range(0, 50).Select(i => (byte)i).ToArray();
        Span<byte> whole = stackalloc byte[UplinkSequence.DigestLength], cut = stackalloc byte[UplinkSequence.DigestLength];
        UplinkSequence.Digest(WebVectors.Join(body), whole);

        foreach (var (_, parts) in Segmentation.Deliveries(body))
        {
            UplinkSequence.Digest(WebVectors.Join(parts), cut);
            Assert.True(whole.SequenceEqual(cut));
        }
    }

    private static string Post(UplinkSequence sequence, ulong number, byte[] body, bool fits)
    {
        Span<byte> digest = stackalloc byte[UplinkSequence.DigestLength];
        UplinkSequence.Digest(WebVectors.Join(body), digest);
        switch (sequence.Begin(number, digest))
        {
            case UplinkVerdict.Apply when fits:
                return $"ack {sequence.Complete()}";
            case UplinkVerdict.Apply:
                sequence.Abandon();
                return "retry";
            case UplinkVerdict.Repeat:
                return $"ack {sequence.Last}";
            case var other:
                return other.ToString().ToLowerInvariant();
        }
    }

    private static string Poll(ref DownlinkCursor cursor, ulong asked, Queue<string> waiting, ref string kept)
    {
        var verdict = cursor.Ask(asked);
        if (verdict == DownlinkVerdict.End)
            return "end";
        if (verdict == DownlinkVerdict.Repeat)
            return string.Create(CultureInfo.InvariantCulture, $"200 {cursor.Value} {kept}");
        if (!waiting.TryDequeue(out var next))
            return string.Create(CultureInfo.InvariantCulture, $"204 {cursor.Value}");
        kept = next;
        return string.Create(CultureInfo.InvariantCulture, $"200 {cursor.Send()} {kept}");
    }
}
