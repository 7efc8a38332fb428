using Portico.Core.Net;
using Portico.Core.Tests.Staging;
using Portico.Core.Web;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using Xunit;
using static Portico.Core.Tests.Web.WebStage;
using static Portico.TestKit.Web.AppFrame;

namespace Portico.Core.Tests.Web;

public sealed class SocketCarrierTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(5u)]
    public void A_stream_reaches_its_data_centre_and_is_answered(uint? lane)
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(lane))!);
        var end = ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
        var next = entry.NextAsync(socket);

        Assert.True(stage.Done(entry.ReceiveAsync(socket, Sequence(Open(5), Data(5, header), Data(5, end.Encrypt("hello"u8))))));
        stage.Waits(next);
        var dc = stage.Stage.LatestDc();
        dc.Say("and back"u8);

        var data = Frames(stage.Done(next)).Single(frame => frame.Type == WebFrameType.Data);
        end.Decrypt(data.Payload);
        Assert.Equal("hello"u8.ToArray(), dc.Text);
        Assert.Equal("and back"u8.ToArray(), data.Payload);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)] // leaves 8 bytes in the batch: a header and no byte more
    [InlineData(39)]
    [InlineData(41)]
    public void A_batch_ends_whatever_is_left_of_it(int less)
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(null))!);
        for (var stream = 1u; stream <= 4; stream++)
        {
            ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
            Assert.True(stage.Done(entry.ReceiveAsync(socket, Sequence(Open(stream), Data(stream, header)))));
            stage.Stage.LatestDc().Say(new byte[5 << 20]);
        }

        var sent = new int[5];
        for (var dry = 0; dry < 2;)
        {
            var next = entry.NextAsync(socket);
            stage.Stage.Run();
            if (!next.IsCompleted)
            {
                // All credit is spent, and each has 256 KiB waiting.
                dry++;
                var windows = Enumerable.Range(1, 4).Select(id => Window((uint)id, 65536 - (id == 4 ? (uint)less : 0)));
                Assert.True(stage.Done(entry.ReceiveAsync(socket, Sequence([.. windows]))));
            }

            foreach (var frame in Frames(stage.Done(next)).Where(frame => frame.Type == WebFrameType.Data))
                sent[frame.Stream] += frame.Payload.Length;
        }

        Assert.Equal((4 << 20) + (2 * 65536), sent[1]);
    }

    [Fact]
    public void A_second_socket_is_refused()
    {
        using var stage = new WebStage();
        var entry = stage.Create();

        Assert.NotNull(stage.Done(entry.OpenSocketAsync(null)));
        Assert.Null(stage.Done(entry.OpenSocketAsync(null)));
    }

    [Fact]
    public void Of_long_messages_so_many_come_at_a_time_and_the_next_when_one_is_whole_or_lost()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var sockets = Enumerable.Range(1, 20).Select(lane => new SocketCalls(stage.Done(entry.OpenSocketAsync((uint)lane))!)).ToList();

        var begun = sockets.ConvertAll(entry.BeginMessageAsync);
        stage.Stage.Run();
        Assert.Equal(MessagePlaces.Most, begun.FindIndex(call => !call.IsCompleted));
        Assert.True(stage.Done(entry.ReceiveAsync(sockets[3], Sequence(Open(4)))));
        Assert.True(stage.Done(begun[16]));
        stage.Waits(begun[17]);
        // One that waits no more is passed by.
        stage.Done(Ask(entry.CloseSocketAsync(sockets[17].Carrier)));
        Assert.False(stage.Done(begun[17]));
        stage.Done(Ask(entry.CloseSocketAsync(sockets[5].Carrier)));

        Assert.True(stage.Done(begun[18]));
        stage.Waits(begun[19]);
        _ = entry.EndAsync(WebEnd.Deleted);
        Assert.False(stage.Done(begun[19]));
        stage.AssertNothingLeft();
    }

    [Fact]
    public void While_memory_is_tight_one_long_message_comes_at_a_time()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var (one, other) = (new SocketCalls(stage.Done(entry.OpenSocketAsync(1))!), new SocketCalls(stage.Done(entry.OpenSocketAsync(2))!));
        entry.Session.Loop.Memory.Publish(MemoryLevel.Pressure, isShort: true, share: 4096);

        Assert.True(stage.Done(entry.BeginMessageAsync(one)));
        var waits = entry.BeginMessageAsync(other);
        stage.Waits(waits);
        Assert.True(stage.Done(entry.ReceiveAsync(one, Sequence(Open(1)))));

        Assert.True(stage.Done(waits));
    }

    [Fact]
    public void The_loss_of_a_socket_that_has_carried_frames_ends_the_session()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(null))!);
        stage.Done(entry.ReceiveAsync(socket, Sequence(Open(1))));

        stage.Done(Ask(entry.CloseSocketAsync(socket.Carrier)));

        Assert.Equal(WebEnd.CarrierLost, entry.Session.Ended);
        stage.AssertNothingLeft();
    }

    [Fact]
    public void What_comes_late_by_a_socket_is_not_taken_once_requests_have_carried_frames()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(null))!);
        Assert.Equal(WebAnswerKind.Done, stage.Done(entry.PostAsync(1, null, Sequence(Open(1)))).Kind);

        Assert.False(stage.Done(entry.ReceiveAsync(socket, Sequence(Open(1)))));

        Assert.Null(entry.Session.Ended);
        Assert.Equal(1, entry.Session.Streams);
    }

    [Fact]
    public void One_that_carried_nothing_leaves_the_session_to_another_carrier()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(null))!);

        stage.Done(Ask(entry.CloseSocketAsync(socket.Carrier)));

        Assert.Equal(WebAnswerKind.Done, stage.Done(entry.PostAsync(1, null, Sequence(Open(1)))).Kind);
    }

    [Fact]
    public void A_stream_of_its_own_socket_ends_with_it_and_others_go_on()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var (one, other) = (new SocketCalls(stage.Done(entry.OpenSocketAsync(1))!), new SocketCalls(stage.Done(entry.OpenSocketAsync(2))!));
        stage.Done(entry.ReceiveAsync(one, Sequence(Open(1))));
        stage.Done(entry.ReceiveAsync(other, Sequence(Open(2))));

        stage.Done(Ask(entry.CloseSocketAsync(one.Carrier)));
        var isGood = stage.Done(entry.ReceiveAsync(other, Sequence(Close(1))));

        Assert.False(isGood); // another's stream: that lane only
        Assert.Null(entry.Session.Ended);
        Assert.Equal(0, entry.Session.Streams);
    }

    [Fact]
    public void A_wrong_message_ends_the_session()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(null))!);
        var next = entry.NextAsync(socket);

        Assert.False(stage.Done(entry.ReceiveAsync(socket, Sequence([0xff]))));

        Assert.Null(stage.Done(next));
        Assert.Equal(WebEnd.Protocol, entry.Session.Ended);
    }

    [Fact]
    public void A_socket_keeps_its_session()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        Assert.NotNull(stage.Done(entry.OpenSocketAsync(null)));

        stage.Stage.Advance(1000);

        Assert.Null(entry.Session.Ended);
    }

    [Fact]
    public void A_proxy_that_stops_says_BYE_when_the_streams_have_been_silent()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(null))!);
        stage.Done(entry.ReceiveAsync(socket, Sequence(Open(1))));
        var next = entry.NextAsync(socket);

        var drained = entry.DrainAsync(TimeSpan.FromSeconds(8));
        stage.Waits(next);
        Assert.True(drained.IsCompleted);
        stage.Stage.Advance(2.1);
        var frames = Frames(stage.Done(next));
        next = entry.NextAsync(socket);
        stage.Stage.Advance(0.4);

        Assert.Equal(WebFrameType.Bye, Assert.Single(frames).Type);
        Assert.Null(stage.Done(next));
        Assert.Equal(WebEnd.Shutdown, entry.Session.Ended);
        stage.AssertNothingLeft();
    }

    private static async Task<bool> Ask(Task call)
    {
        await call;
        return true;
    }
}
