using Portico.Core.Net;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Net;

public class ChannelTests
{
    private readonly LoopBench _bench = new();
    private readonly NotingOwner _owner = new();
    private readonly MemoryChannel _channel;
    private readonly byte[] _area = new byte[1000];

    public ChannelTests() => _channel = _bench.Channel(_owner);

    private MemoryPeer Peer => _channel.Peer;

    [Fact]
    public void Nothing_is_readable_before_something_came_and_reading_then_asks_nobody()
    {
        Assert.False(_channel.CanRead);
        Assert.Equal(IoStatus.WouldBlock, _channel.Read(_area, out var count));
        Assert.Equal(0, count);
    }

    [Fact]
    public void A_full_read_leaves_the_channel_readable_and_a_short_one_does_not()
    {
        Peer.Send(new byte[1500]);
        _bench.Run();
        Assert.Equal(IoStatus.Ok, _channel.Read(_area, out var first));
        Assert.Equal(1000, first);
        Assert.True(_channel.CanRead);
        Assert.Equal(IoStatus.Ok, _channel.Read(_area, out var second));
        Assert.Equal(500, second);
        Assert.False(_channel.CanRead);
        Assert.Equal(1, _owner.Events);
    }

    [Fact]
    public void A_refused_read_clears_readable_until_the_next_edge()
    {
        Peer.Send(new byte[1000]);
        _bench.Run();
        _channel.Read(_area, out _);
        Assert.True(_channel.CanRead);
        Assert.Equal(IoStatus.WouldBlock, _channel.Read(_area, out _));
        Assert.False(_channel.CanRead);
        Peer.Send(new byte[1]);
        Assert.False(_channel.CanRead);
        _bench.Run();
        Assert.True(_channel.CanRead);
        Assert.Equal(2, _owner.Events);
    }

    [Fact]
    public void A_hang_up_stays_readable_until_the_end_itself_was_read()
    {
        Peer.Send(new byte[100]);
        Peer.Finish();
        _bench.Run();
        Assert.True(_channel.HungUp);
        Assert.False(_channel.Failed);
        Assert.Equal(IoStatus.Ok, _channel.Read(_area, out var count));
        Assert.Equal(100, count);
        Assert.True(_channel.CanRead);
        Assert.Equal(IoStatus.Eof, _channel.Read(_area, out _));
        Assert.False(_channel.CanRead);
    }

    [Fact]
    public void After_a_reset_what_came_before_is_read_first()
    {
        Peer.Send(new byte[100]);
        Peer.Reset();
        _bench.Run();
        Assert.True(_channel.Failed);
        Assert.True(_channel.CanWrite);
        Assert.Equal(IoStatus.Ok, _channel.Read(_area, out _));
        Assert.Equal(IoStatus.Reset, _channel.Read(_area, out _));
        Assert.Equal(IoStatus.Reset, _channel.Write([1], out _));
    }

    [Fact]
    public void A_short_write_clears_writable_until_the_peer_has_read()
    {
        Peer.ReadsAtOnce = false;
        Peer.ToPeer.Capacity = 600;
        Assert.Equal(IoStatus.Ok, _channel.Write(_area, out var written));
        Assert.Equal(600, written);
        Assert.False(_channel.CanWrite);
        Assert.Equal(IoStatus.WouldBlock, _channel.Write(_area, out written));
        Assert.Equal(0, written);
        _bench.Run();
        Assert.False(_channel.CanWrite);
        Peer.Read(new byte[10]);
        _bench.Run();
        Assert.True(_channel.CanWrite);
        Assert.Equal(IoStatus.Ok, _channel.Write(_area, out written));
        Assert.Equal(10, written);
    }

    [Fact]
    public void A_write_that_fits_exactly_stays_writable_and_finds_out_with_the_next()
    {
        Peer.ReadsAtOnce = false;
        Peer.ToPeer.Capacity = 1000;
        _channel.Write(_area, out _);
        Assert.True(_channel.CanWrite);
        Assert.Equal(IoStatus.WouldBlock, _channel.Write(_area, out _));
        Assert.False(_channel.CanWrite);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(40)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(100)]
    public void Reading_with_gaps_leaves_them_free_and_counts_payload(int sent)
    {
        const int gap = 5, stride = 16;
        var area = new byte[(4 * (gap + stride)) - 1]; // the last piece is one byte short
        var payload = Enumerable.Range(1, sent).Select(i => (byte)i).ToArray();
        Peer.Send(payload);
        _bench.Run();
        Assert.Equal(IoStatus.Ok, _channel.ReadWithGaps(area, gap, stride, out var count));
        Assert.Equal(Math.Min(sent, 63), count);
        Assert.Equal(63, Channel.RoomWithGaps(area.Length, gap, stride));
        Assert.Equal(sent >= 63, _channel.CanRead);
        for (var i = 0; i < area.Length; i++)
        {
            var (piece, at) = Math.DivRem(i, gap + stride);
            var index = (piece * stride) + at - gap;
            Assert.Equal(at < gap || index >= count ? 0 : payload[index], area[i]);
        }
    }

    [Fact]
    public void Closing_with_everything_read_is_fin_and_nothing_is_heard_afterwards()
    {
        _channel.Write([1, 2], out _);
        _channel.SetDeadline(_bench.Loop.NowMs + 100);
        _channel.Close();
        Assert.Equal(PeerEnd.Fin, Peer.End);
        Assert.Equal([1, 2], Peer.Take());
        Peer.Send([1]);
        _bench.Loop.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(PeerEnd.Reset, Peer.End);
        Assert.Equal((0, 0), (_owner.Events, _owner.Deadlines));
        Assert.False(_channel.CanRead || _channel.CanWrite);
        Assert.Equal(0, _bench.Loop.Slots.Count);
    }

    [Fact]
    public void Aborting_is_reset()
    {
        _channel.Abort();
        _channel.Close();
        Assert.Equal(PeerEnd.Reset, Peer.End);
    }

    [Fact]
    public void After_a_half_close_the_other_direction_goes_on()
    {
        _channel.ShutdownWrite();
        Assert.Equal(PeerEnd.Fin, Peer.End);
        Peer.Send([9]);
        _bench.Run();
        Assert.Equal(IoStatus.Ok, _channel.Read(_area, out var count));
        Assert.Equal(1, count);
    }

    [Fact]
    public void An_event_for_a_channel_closed_earlier_in_the_same_batch_reaches_nobody()
    {
        var other = _bench.Channel();
        var heard = new NotingOwner();
        other.Owner = heard;
        _owner.Ready = _ => other.Close();
        Peer.Send([1]);
        other.Peer.Send([1]);
        _bench.Run();
        Assert.Equal(1, _owner.Events);
        Assert.Equal(0, heard.Events);
    }

    [Fact]
    public void An_exception_goes_to_the_owner_that_threw_and_the_others_go_on()
    {
        var heard = new NotingOwner();
        var other = _bench.Channel(heard);
        _owner.Ready = _ => throw new TimeZoneNotFoundException();
        _owner.Deadline = _ => throw new TimeZoneNotFoundException();
        Peer.Send([1]);
        other.Peer.Send([1]);
        _channel.SetDeadline(_bench.Loop.NowMs + 100);
        other.SetDeadline(_bench.Loop.NowMs + 100);
        _bench.Loop.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _owner.Faults.Count);
        Assert.Equal((1, 1), (heard.Events, heard.Deadlines));
    }

    [Fact]
    public void A_failure_of_the_loop_itself_is_not_survived()
    {
        _owner.Ready = _ => throw new LoopFailure("over");
        Peer.Send([1]);
        Assert.Throws<LoopFailure>(_bench.Run);
        Assert.Empty(_owner.Faults);
    }

    [Fact]
    public void A_foreign_thread_that_touches_a_channel_is_caught()
    {
        Peer.Send([1]);
        _bench.Run();
        Exception? caught = null;
        var stranger = new Thread(() => caught = Record.Exception(() => _channel.Read(_area, out _)));
        stranger.Start();
        stranger.Join();
        Assert.IsType<InvalidOperationException>(caught);
    }
}
