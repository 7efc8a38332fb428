using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class PendingTests
{
    private readonly LoopBench _bench = new();
    private Pending _pending;

    [Fact]
    public void What_a_peer_has_no_room_for_goes_out_in_order_as_it_reads()
    {
        var channel = _bench.Channel();
        channel.Peer.ReadsAtOnce = false;
        channel.Peer.ToPeer.Capacity = 300;
        var bytes = Enumerable.Range(0, 1000).Select(i => (byte)i).ToArray();
        bytes.CopyTo(_pending.Reserve(_bench.Loop.Buffers, bytes.Length));
        var received = new List<byte>();
        var area = new byte[70];
        while (!_pending.IsEmpty)
        {
            var status = _pending.Flush(channel, _bench.Loop.Buffers, out var written);
            Assert.Equal(written > 0 ? IoStatus.Ok : IoStatus.WouldBlock, status);
            received.AddRange(area[..channel.Peer.Read(area)]);
            _bench.Run();
        }

        for (int count; (count = channel.Peer.Read(area)) > 0;) received.AddRange(area[..count]);
        Assert.Equal(bytes, received);
        Assert.Equal(0, _bench.Loop.Buffers.Rented);
    }

    [Fact]
    public void A_second_reservation_while_output_is_pending_is_an_error()
    {
        _pending.Reserve(_bench.Loop.Buffers, 10);
        Assert.Throws<InvalidOperationException>(() => _pending.Reserve(_bench.Loop.Buffers, 10).Length);
    }

    [Fact]
    public void Dropping_gives_the_buffer_back_once()
    {
        _pending.Reserve(_bench.Loop.Buffers, 10);
        _pending.Drop(_bench.Loop.Buffers);
        _pending.Drop(_bench.Loop.Buffers);
        Assert.True(_pending.IsEmpty);
        Assert.Equal(0, _bench.Loop.Buffers.Rented);
    }

    [Fact]
    public void A_reset_peer_shows_when_pending_output_is_flushed()
    {
        var channel = _bench.Channel();
        _pending.Reserve(_bench.Loop.Buffers, 10);
        channel.Peer.Reset();
        _bench.Run();
        Assert.Equal(IoStatus.Reset, _pending.Flush(channel, _bench.Loop.Buffers, out var written));
        Assert.Equal(0, written);
        Assert.False(_pending.IsEmpty);
    }
}
