using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.Core.Tests.Backends.Direct;

public sealed class BackPressureTests : IDisposable
{
    // What one read can bring: a scratch area, for which the pool has 65 KB.
    private const int OneBuffer = (64 * 1024) + 1024;
    private const int Megabytes = 3_000_000;

    private readonly Stage _stage = new();
    private readonly byte[] _text = new byte[Megabytes];

    public BackPressureTests() => TestPattern.Fill(_text, 3);

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Fact]
    public void A_client_that_does_not_read_stops_the_reading_of_its_dc_and_loses_nothing()
    {
        var (client, dc) = _stage.Relay();
        Stall(client.Peer);
        dc.Say(_text);
        _stage.Run();
        Assert.InRange(_stage.Loop.Buffers.Rented, 1, OneBuffer);
        Assert.True(dc.Peer.Unread >= Megabytes - client.Peer.ToPeer.Capacity - OneBuffer);
        _stage.Advance(1);
        Assert.InRange(_stage.Loop.Buffers.Rented, 1, OneBuffer);
        client.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.True(client.Text.AsSpan().SequenceEqual(_text));
        Assert.Equal(0, _stage.Loop.Buffers.Rented);
    }

    [Fact]
    public void A_dc_that_does_not_read_stops_the_reading_of_its_client_and_loses_nothing()
    {
        var (client, dc) = _stage.Relay();
        Stall(dc.Peer);
        client.Say(_text);
        _stage.Run();
        Assert.InRange(_stage.Loop.Buffers.Rented, 1, OneBuffer);
        Assert.True(client.Peer.Unread >= Megabytes - dc.Peer.ToPeer.Capacity - OneBuffer);
        dc.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.True(dc.Text.AsSpan().SequenceEqual(_text));
        Assert.Equal(0, _stage.Loop.Buffers.Rented);
    }

    [Fact]
    public void A_stalled_direction_does_not_hold_up_the_other()
    {
        var (client, dc) = _stage.Relay();
        Stall(client.Peer);
        dc.Say(_text);
        _stage.Run();
        client.Say(_text);
        _stage.Run();
        Assert.True(dc.Text.AsSpan().SequenceEqual(_text));
    }

    [Fact]
    public void A_client_that_reads_in_small_bites_gets_everything_in_order()
    {
        var (client, dc) = _stage.Relay();
        client.Peer.ReadsAtOnce = false;
        client.Peer.ToPeer.Capacity = 5000;
        dc.Say(_text.AsSpan(0, 400_000));
        var wire = new MemoryStream();
        var bite = new byte[3000];
        for (int count; ;)
        {
            _stage.Run();
            if ((count = client.Peer.Read(bite)) == 0) break;
            wire.Write(bite, 0, count);
        }

        // Handed back to the client as if they had come at once.
        var reader = new Portico.Protocol.FakeTls.TlsRecordReader();
        var payload = reader.Unwrap(wire.ToArray(), out _);
        Assert.Equal(400_000, payload.Length);
        Assert.True(reader.IsAtBoundary);
    }

    [Fact]
    public void Early_data_for_a_dc_that_does_not_read_waits_and_arrives_in_order()
    {
        _stage.Loop.Connected = connect => Stall(connect.Peer);
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        client.Peer.Send([.. client.Header, .. client.Encode(_text.AsSpan(0, 50_000))]);
        client.Say(_text.AsSpan(50_000, 100_000));
        _stage.Run();
        var dc = _stage.LatestDc();
        Assert.InRange(_stage.Loop.Buffers.Rented, 1, OneBuffer);
        dc.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.True(dc.Text.AsSpan().SequenceEqual(_text.AsSpan(0, 150_000)));
    }

    [Fact]
    public void A_client_that_takes_nothing_for_a_minute_is_let_go()
    {
        var (client, dc) = _stage.Relay();
        Stall(client.Peer);
        dc.Say(_text);
        _stage.Advance(59);
        _stage.AssertOpen();
        _stage.Advance(7);
        Assert.True(dc.Peer.IsReleased);
        _stage.AssertClosed("client_write_timeout (client)");
        Assert.Equal(1, _stage.Metrics.Sum("portico.timeouts", "phase", "write"));
    }

    [Fact]
    public void A_client_that_takes_a_little_now_and_then_is_not()
    {
        var (client, dc) = _stage.Relay();
        Stall(client.Peer);
        dc.Say(_text);
        for (var i = 0; i < 10; i++)
        {
            _stage.Advance(55);
            Assert.Equal(1, client.Peer.Read(new byte[1]));
        }

        _stage.AssertOpen();
        _stage.Advance(66);
        _stage.AssertClosed("client_write_timeout (client)");
    }

    [Fact]
    public void A_client_whose_kernel_acknowledges_all_the_time_is_alive_however_long_there_is_no_room()
    {
        var (client, dc) = _stage.Relay();
        client.Peer.ReadsAtOnce = false;
        client.Peer.ToPeer.Capacity = 40_000;
        client.Peer.IsUnreachable = true;
        dc.Say(_text);
        for (var seconds = 0; seconds < 300; seconds += 5)
        {
            _stage.Advance(5);
            client.Peer.ToPeer.Arrive(500); // acknowledged, not taken out: no room, and no event
        }

        _stage.AssertOpen();
        client.Peer.IsUnreachable = false;
    }

    [Fact]
    public void A_client_that_vanished_with_little_on_its_way_is_noticed()
    {
        var (client, dc) = _stage.Relay();
        client.Peer.IsUnreachable = true;
        dc.Say("an update"u8);
        _stage.Advance(59);
        _stage.AssertOpen();
        _stage.Advance(7);
        _stage.AssertClosed("client_write_timeout (client)");
    }

    [Fact]
    public void A_client_that_was_slow_once_and_caught_up_has_its_whole_idle_time_again()
    {
        var (client, dc) = _stage.Relay();
        Stall(client.Peer);
        dc.Say(_text);
        _stage.Advance(10);
        client.Peer.ReadsAtOnce = true;
        _stage.Advance(19 * 60);
        _stage.AssertOpen();
    }

    private static void Stall(MemoryPeer peer)
    {
        peer.ReadsAtOnce = false;
        peer.ToPeer.Capacity = 10_000;
    }
}
