using System.Buffers.Binary;
using Portico.Core.Tests.Staging;
using Portico.Core.Web;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using Xunit;
using static Portico.Core.Tests.Web.WebStage;
using static Portico.TestKit.Web.AppFrame;

namespace Portico.Core.Tests.Web;

public sealed class HttpsCarrierTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(5u)]
    public void A_stream_reaches_its_data_centre_and_is_answered(uint? lane)
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var end = ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);

        var up = stage.Done(entry.PostAsync(1, lane, Sequence(Open(5), Data(5, header), Data(5, end.Encrypt("hello"u8)))));
        var poll = entry.AskAsync(0, lane, CancellationToken.None);
        stage.Waits(poll);
        var dc = stage.Stage.LatestDc();
        Assert.Equal("hello"u8.ToArray(), dc.Text);
        dc.Say("and back"u8);
        var down = stage.Done(poll);

        Assert.Equal(new WebAnswer(WebAnswerKind.Done, 1), up);
        Assert.Equal((WebAnswerKind.Batch, 1UL), (down.Kind, down.Number));
        var frames = Frames(down.Batch);
        Assert.Equal((WebFrameType.Window, 5u), (frames[0].Type, frames[0].Stream));
        Assert.Equal((WebFrameType.Data, 5u), (frames[1].Type, frames[1].Stream));
        end.Decrypt(frames[1].Payload);
        Assert.Equal("and back"u8.ToArray(), frames[1].Payload);
        Assert.Equal(AppAddress, entry.Session.Client);
        stage.Stage.AssertOpen();
    }

    [Fact]
    public void An_answer_that_was_lost_is_given_again_byte_for_byte()
    {
        using var stage = new WebStage();
        var (entry, dc, _) = Relay(stage);
        dc.Say("once"u8);
        var first = stage.Done(entry.AskAsync(0, null, default));
        dc.Say("more"u8);

        var again = stage.Done(entry.AskAsync(0, null, default));
        var next = stage.Done(entry.AskAsync(1, null, default));

        Assert.Equal((WebAnswerKind.Batch, 1UL), (again.Kind, again.Number));
        Assert.Equal(first.Batch!.Bytes.ToArray(), again.Batch!.Bytes.ToArray());
        Assert.Equal((WebAnswerKind.Batch, 2UL), (next.Kind, next.Number));
        Assert.Equal(4, Frames(next.Batch).Single(frame => frame.Type == WebFrameType.Data).Payload.Length);
    }

    [Fact]
    public void A_request_that_comes_twice_is_applied_once()
    {
        using var stage = new WebStage();
        var (entry, dc, end) = Relay(stage);
        var body = Sequence(Data(1, end.Encrypt("twice"u8)));

        var first = stage.Done(entry.PostAsync(2, null, body));
        var again = stage.Done(entry.PostAsync(2, null, body));

        Assert.Equal(new WebAnswer(WebAnswerKind.Done, 2), first);
        Assert.Equal(first, again);
        Assert.Equal("twice"u8.ToArray(), dc.Text);
    }

    [Theory]
    [InlineData(4, true)] // a gap
    [InlineData(1, true)] // an older number with other bytes
    [InlineData(0, false)] // none
    public void A_number_that_cannot_be_ends_the_session(ulong number, bool ends)
    {
        using var stage = new WebStage();
        var (entry, _, _) = Relay(stage);

        var answer = stage.Done(entry.PostAsync(number, null, Sequence(Window(1, 1))));

        Assert.Equal(WebAnswerKind.Refused, answer.Kind);
        Assert.Equal(ends ? WebEnd.Protocol : null, entry.Session.Ended);
        if (ends) stage.AssertNothingLeft();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void A_cursor_that_cannot_be_ends_the_session(ulong cursor)
    {
        using var stage = new WebStage();
        var (entry, _, _) = Relay(stage);

        Assert.Equal(WebAnswerKind.Refused, stage.Done(entry.AskAsync(cursor, null, default)).Kind);

        Assert.Equal(WebEnd.Protocol, entry.Session.Ended);
        stage.AssertNothingLeft();
    }

    [Fact]
    public void What_is_late_and_whose_connection_is_gone_does_not_come_behind_what_was_asked_since()
    {
        using var stage = new WebStage();
        var (entry, dc, end) = Relay(stage);
        var gone = new CancellationToken(canceled: true);
        dc.Say("first"u8);
        stage.Done(entry.AskAsync(0, null, default));
        dc.Say("second"u8);
        stage.Done(entry.AskAsync(1, null, default));
        var body = Sequence(Data(1, end.Encrypt("twice"u8)));
        stage.Done(entry.PostAsync(2, null, body));
        stage.Done(entry.PostAsync(3, null, Sequence(Data(1, end.Encrypt(" or not"u8)))));

        Assert.Equal(WebAnswerKind.Refused, stage.Done(entry.AskAsync(0, null, gone)).Kind);
        Assert.Equal(WebAnswerKind.Refused, stage.Done(entry.PostAsync(2, null, body, gone)).Kind);
        // And one that is not late is asked again, unapplied.
        var next = Sequence(Data(1, end.Encrypt("."u8)));
        Assert.Equal(WebAnswerKind.Refused, stage.Done(entry.PostAsync(4, null, next, gone)).Kind);
        Assert.Equal(new WebAnswer(WebAnswerKind.Done, 4), stage.Done(entry.PostAsync(4, null, next)));

        var again = stage.Done(entry.AskAsync(1, null, default));
        Assert.Equal((WebAnswerKind.Batch, 2UL), (again.Kind, again.Number));
        Assert.Equal("twice or not."u8.ToArray(), dc.Text);
        stage.Stage.AssertOpen();
    }

    [Fact]
    public void A_request_that_finds_nothing_waits_25_s_and_a_newer_one_takes_its_place()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var older = entry.AskAsync(0, null, default);
        stage.Waits(older);

        var newer = entry.AskAsync(0, null, default);
        Assert.Equal(new WebAnswer(WebAnswerKind.Done, 0), stage.Done(older));
        stage.Stage.Advance(24.9);
        Assert.False(newer.IsCompleted);
        stage.Stage.Advance(0.2);

        Assert.Equal(new WebAnswer(WebAnswerKind.Done, 0), stage.Done(newer));
        Assert.Null(entry.Session.Ended);
    }

    [Fact]
    public void What_comes_after_the_app_has_left_is_there_when_it_asks_again()
    {
        using var stage = new WebStage();
        var (entry, dc, _) = Relay(stage);
        using var left = new CancellationTokenSource();
        var poll = entry.AskAsync(0, null, left.Token);
        stage.Waits(poll);

        left.Cancel();
        stage.Stage.Run();
        dc.Say("late"u8);
        stage.Stage.Run();
        var next = stage.Done(entry.AskAsync(0, null, default));

        Assert.Equal(4, Frames(next.Batch).Single(frame => frame.Type == WebFrameType.Data).Payload.Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // whose time is over later
    public void What_a_data_centre_does_not_take_holds_the_request_and_then_sends_it_home_unapplied(bool hasPoll)
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        if (hasPoll) stage.Waits(entry.AskAsync(0, null, default));
        var (number, held) = (0UL, default(Task<WebAnswer>));
        byte[] body = [];
        for (var stream = 1u; held is null; stream++)
        {
            var end = ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
            stage.Done(entry.PostAsync(++number, null, Sequence(Open(stream), Data(stream, header))));
            stage.Stage.LatestDc().Peer.ReadsAtOnce = false;
            for (var sent = 0; sent < 3 && held is null; sent++)
            {
                body = Data(stream, end.Encrypt(new byte[1 << 20]));
                var isHeld = entry.Session.Unread + body.Length > WebSession.MostUnread;
                var post = entry.PostAsync(++number, null, Sequence(body));
                if (isHeld) held = post;
                else Assert.Equal(WebAnswerKind.Done, stage.Done(post).Kind);
            }
        }

        stage.Waits(held);
        Assert.InRange(entry.Session.Unread, WebSession.MostUnread - (2 << 20), WebSession.MostUnread);
        Assert.Equal(WebAnswerKind.Again, stage.Done(entry.PostAsync(number, null, Sequence(body))).Kind);
        stage.Stage.Advance(20.1);
        Assert.Equal(WebAnswerKind.Again, stage.Done(held).Kind);
        var again = entry.PostAsync(number, null, Sequence(body));
        stage.Waits(again);
        foreach (var connect in stage.Stage.Loop.Connects) connect.Peer.ReadsAtOnce = true;

        Assert.Equal(new WebAnswer(WebAnswerKind.Done, number), stage.Done(again));
        Assert.Null(entry.Session.Ended);
    }

    [Fact]
    public void A_lane_says_that_its_stream_is_over_once_all_was_acknowledged()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var end = ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
        stage.Done(entry.PostAsync(1, 9, Sequence(Open(9), Data(9, header))));
        var dc = stage.Stage.LatestDc();
        dc.Say("last words"u8);
        dc.Peer.Finish();
        stage.Stage.Advance(11);

        var words = stage.Done(entry.AskAsync(0, 9, default));
        var over = stage.Done(entry.AskAsync(1, 9, default));

        var frames = Frames(words.Batch);
        Assert.Equal(WebFrameType.Close, frames[^1].Type);
        Assert.Equal(10, frames.Single(frame => frame.Type == WebFrameType.Data).Payload.Length);
        Assert.Equal(new WebAnswer(WebAnswerKind.Done, 1, IsLaneClosed: true), over);
        Assert.Equal(WebAnswerKind.Done, stage.Done(entry.PostAsync(1, 11, Sequence(Open(11)))).Kind);
    }

    [Fact]
    public void Lanes_one_after_the_other_end_nothing_but_themselves_however_late_their_last_requests_are()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        for (var stream = 1u; stream <= 700; stream++)
        {
            if (stream % 20 == 0) stage.Stage.Advance(1.1);
            Assert.Equal(WebAnswerKind.Done, stage.Done(entry.PostAsync(1, stream, Sequence(Open(stream)))).Kind);
            Assert.Equal(WebAnswerKind.Done, stage.Done(entry.PostAsync(2, stream, Sequence(Close(stream)))).Kind);
            Assert.True(stage.Done(entry.AskAsync(0, stream, default)).IsLaneClosed);
        }

        var late = stage.Done(entry.PostAsync(3, 2, Sequence(Window(2, 5))));
        var asked = stage.Done(entry.AskAsync(7, 3, default));

        Assert.Equal(new WebAnswer(WebAnswerKind.Done, 3), late);
        Assert.Equal(new WebAnswer(WebAnswerKind.Done, 7, IsLaneClosed: true), asked);
        Assert.Null(entry.Session.Ended);
    }

    [Fact]
    public void An_app_that_asks_for_nothing_cannot_fill_the_queues()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var number = 0UL;
        for (var stream = 1u; entry.Session.Ended is null && stream < 40_000; stream += 2000)
        {
            var opens = Enumerable.Range((int)stream, 2000).Select(id => Open((uint)id));
            stage.Done(entry.PostAsync(++number, null, Sequence([.. opens])));
        }

        Assert.Equal(WebEnd.Limit, entry.Session.Ended);
    }

    [Fact]
    public void What_is_not_acknowledged_is_bounded_over_all_lanes()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var kept = 0;
        const uint Lanes = 60;
        for (var lane = 1u; lane <= Lanes; lane++) kept += Take(lane);

        Assert.Equal(kept, entry.Session.Kept);
        Assert.InRange(kept, 4 << 20, (4 << 20) + (512 * 1024) + (int)(Lanes * 17 * 1024));
        for (var lane = 1u; lane <= Lanes; lane++)
            Assert.True(stage.Done(entry.AskAsync(1, lane, default)).IsLaneClosed);
        Assert.Equal(0, entry.Session.Kept);
        Assert.Equal(128 * 1024, Take(Lanes + 1)); // a first batch

        // The app leaves the stream, and keeps its batch.
        int Take(uint lane)
        {
            ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
            stage.Done(entry.PostAsync(1, lane, Sequence(Open(lane), Data(lane, header))));
            stage.Stage.LatestDc().Say(new byte[1 << 20]);
            stage.Stage.Run();
            var batch = stage.Done(entry.AskAsync(0, lane, default)).Batch!;
            var length = batch.Bytes.Length;
            batch.Release();
            stage.Done(entry.PostAsync(2, lane, Sequence(Close(lane))));
            return length;
        }
    }

    [Fact]
    public void Credit_that_finds_no_room_in_a_batch_goes_with_the_next()
    {
        using var stage = new WebStage();
        var (entry, _, _) = Relay(stage);
        while (entry.Session.User.Rates.MayOpenStream(entry.Session.Loop.NowMs))
        {
        }

        // Refused all of them, and as many CLOSEs as a batch may have frames.
        stage.Done(entry.PostAsync(2, null, Sequence([.. Enumerable.Range(2, WebBatchReader.MaxFrames).Select(id => Open((uint)id))])));
        stage.Stage.Advance(1.1);
        var closes = Frames(stage.Done(entry.AskAsync(0, null, default)).Batch);
        var credit = Frames(stage.Done(entry.AskAsync(1, null, default)).Batch);

        Assert.All(closes, frame => Assert.Equal(WebFrameType.Close, frame.Type));
        Assert.Equal(64, Credit(credit));
    }

    [Fact]
    public void CLOSE_and_credit_pass_where_data_is_held()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var number = 0UL;
        for (var stream = 1u; stream <= 3; stream++)
        {
            var end = ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
            stage.Done(entry.PostAsync(++number, null, Sequence(Open(stream), Data(stream, header))));
            stage.Stage.LatestDc().Peer.ReadsAtOnce = false;
            for (var sent = 0; sent < 3 && entry.Session.Unread + (1 << 20) <= WebSession.MostUnread; sent++)
                stage.Done(entry.PostAsync(++number, null, Sequence(Data(stream, end.Encrypt(new byte[1 << 20])))));
        }

        var unread = entry.Session.Unread;
        Assert.Equal(WebAnswerKind.Done, stage.Done(entry.PostAsync(++number, null, Sequence(Window(2, 5), Close(1)))).Kind);

        Assert.InRange(entry.Session.Unread, 0, unread - (1 << 20));
    }

    [Fact]
    public void Frames_of_another_stream_in_a_lane_end_the_session()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        stage.Done(entry.PostAsync(1, 9, Sequence(Open(9))));

        Assert.Equal(WebAnswerKind.Refused, stage.Done(entry.PostAsync(2, 9, Sequence(Open(10)))).Kind);

        Assert.Equal(WebEnd.Protocol, entry.Session.Ended);
        stage.AssertNothingLeft();
    }

    [Fact]
    public void A_session_stays_with_the_carrier_that_has_carried_a_frame()
    {
        using var stage = new WebStage();
        var (entry, _, _) = Relay(stage);

        Assert.Equal(WebAnswerKind.Refused, stage.Done(entry.PostAsync(1, 0, Sequence(Open(3)))).Kind);
        Assert.Null(stage.Done(entry.OpenSocketAsync(null)));

        Assert.Null(entry.Session.Ended);
    }

    [Fact]
    public void Two_minutes_without_a_request_end_the_session_and_a_request_that_waits_keeps_it()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        for (var i = 0; i < 8; i++)
        {
            var poll = entry.AskAsync(0, null, default);
            stage.Waits(poll);
            stage.Stage.Advance(25.1);
            Assert.Equal(WebAnswerKind.Done, stage.Done(poll).Kind);
        }

        stage.Stage.Advance(119);
        Assert.Null(entry.Session.Ended);
        stage.Stage.Advance(2);

        Assert.Equal(WebEnd.Grace, entry.Session.Ended);
        Assert.Equal(WebAnswerKind.Refused, stage.Done(entry.AskAsync(0, null, default)).Kind);
        stage.AssertNothingLeft();
    }

    [Fact]
    public void Credit_goes_back_at_the_latest_after_a_second_and_to_the_byte()
    {
        using var stage = new WebStage();
        var (entry, _, end) = Relay(stage);
        var poll = entry.AskAsync(0, null, default);
        stage.Waits(poll);
        stage.Stage.Advance(0.9);
        Assert.False(poll.IsCompleted);

        stage.Stage.Advance(0.2);
        var small = Frames(stage.Done(poll).Batch);
        poll = entry.AskAsync(1, null, default);
        stage.Waits(poll);
        stage.Done(entry.PostAsync(2, null, Sequence(Data(1, end.Encrypt(new byte[300_000])))));
        var large = Frames(stage.Done(poll).Batch);

        Assert.Equal(Window(1, 64)[WebFrameHeader.Length..], Assert.Single(small).Payload);
        Assert.All(large, frame => Assert.Equal(WebFrameType.Window, frame.Type));
        Assert.InRange(Credit(large), WebLane.WorthAFrame, 300_000);
    }

    private static int Credit(IEnumerable<(WebFrameType Type, uint Stream, byte[] Payload)> frames) =>
        frames.Sum(frame => BinaryPrimitives.ReadInt32BigEndian(frame.Payload));

    private static (WebEntry Entry, StageDc Dc, ObfuscatedEnd End) Relay(WebStage stage)
    {
        var entry = stage.Create();
        var end = ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
        Assert.Equal(WebAnswerKind.Done, stage.Done(entry.PostAsync(1, null, Sequence(Open(1), Data(1, header)))).Kind);
        return (entry, stage.Stage.LatestDc(), end);
    }
}
