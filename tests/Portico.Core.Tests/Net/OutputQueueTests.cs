using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class OutputQueueTests
{
    [Fact]
    public void Packets_come_out_whole_and_in_order_and_are_counted_when_their_last_byte_went()
    {
        for (var seed = 0; seed < 100; seed++) Survive(seed);
    }

    [Fact]
    public void A_dropped_queue_serves_the_next_user_as_a_new_one()
    {
        var bench = new LoopBench();
        var pool = new OutputQueuePool();
        var queue = pool.Rent();
        queue.Append(bench.Loop.Buffers, new byte[40_000]);
        queue.EndPacket();
        queue.Drop(bench.Loop.Buffers);
        pool.Return(queue);
        Assert.Same(queue, pool.Rent());
        Assert.Equal((0L, 0, true), (queue.Bytes, queue.Packets, queue.IsEmpty));
        Assert.Equal(0, bench.Loop.Buffers.Rented);
    }

    [Fact]
    public void A_reset_reader_shows_when_the_queue_is_flushed()
    {
        var bench = new LoopBench();
        var channel = bench.Channel();
        var queue = new OutputQueue();
        queue.Append(bench.Loop.Buffers, [1]);
        channel.Peer.Reset();
        bench.Run();
        Assert.Equal(IoStatus.Reset, queue.Flush(channel, bench.Loop.Buffers, int.MaxValue, out var written, out var packets));
        Assert.Equal((0, 0), (written, packets));
    }

    private static void Survive(int seed)
    {
        var random = new Random(seed);
        var bench = new LoopBench(seed);
        var channel = bench.Channel();
        channel.Peer.ReadsAtOnce = false;
        channel.Peer.ToPeer.Capacity = 1 << random.Next(4, 16);
        var queue = new OutputQueue();
        var (ends, appended, flushed, packetsOut) = (new List<long>(), 0L, 0L, 0);
        List<byte> sent = [], received = [];
        var area = new byte[50_000];
        while (ends.Count < 30 || !queue.IsEmpty)
        {
            if (ends.Count < 30 && random.Next(2) == 0)
            {
                for (var parts = random.Next(1, 3); parts > 0; parts--)
                {
                    var part = new byte[random.Next(1, 1 << random.Next(1, 16))];
                    random.NextBytes(part);
                    sent.AddRange(part);
                    appended += part.Length;
                    queue.Append(bench.Loop.Buffers, part);
                }

                queue.EndPacket();
                ends.Add(appended);
            }

            Assert.Equal(IoStatus.Ok, queue.Flush(channel, bench.Loop.Buffers, int.MaxValue, out var written, out var packets));
            flushed += written;
            packetsOut += packets;
            Assert.Equal(ends.Count(end => end <= flushed), packetsOut);
            Assert.Equal((appended - flushed, ends.Count - packetsOut), (queue.Bytes, queue.Packets));
            received.AddRange(area[..channel.Peer.Read(area)]);
            bench.Run();
        }

        for (int count; (count = channel.Peer.Read(area)) > 0; bench.Run()) received.AddRange(area[..count]);
        Assert.Equal(sent, received);
        Assert.Equal(0, bench.Loop.Buffers.Rented);
    }
}
