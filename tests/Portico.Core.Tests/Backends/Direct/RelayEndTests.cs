using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Backends.Direct;

/// <summary>How a relaying session ends: who did what, what both peers see, what is left behind.</summary>
public sealed class RelayEndTests : IDisposable
{
    private readonly Stage _stage = new();
    private readonly byte[] _text = new byte[500_000];

    public RelayEndTests() => TestPattern.Fill(_text, 4);

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Fact]
    public void A_client_that_finishes_hears_its_dc_out()
    {
        var (client, dc) = _stage.Relay();
        client.Say("last words"u8);
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal("last words"u8.ToArray(), dc.Text);
        Assert.Equal(PeerEnd.Fin, dc.Peer.End);
        Assert.Equal(PeerEnd.None, client.Peer.End);
        _stage.Advance(5);
        dc.Say(_text);
        dc.Peer.Finish();
        _stage.Run();
        Assert.True(client.Text.AsSpan().SequenceEqual(_text));
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void A_dc_that_finishes_hears_the_client_out()
    {
        var (client, dc) = _stage.Relay();
        dc.Say("last words"u8);
        dc.Peer.Finish();
        _stage.Run();
        Assert.Equal("last words"u8.ToArray(), client.Text);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Equal(PeerEnd.None, dc.Peer.End);
        _stage.Advance(5);
        client.Say(_text);
        client.Peer.Finish();
        _stage.Run();
        Assert.True(dc.Text.AsSpan().SequenceEqual(_text));
        Assert.Equal(PeerEnd.Fin, dc.Peer.End);
        _stage.AssertClosed("dc_closed (telegram)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_side_that_goes_on_is_given_up_after_ten_seconds_without_a_byte(bool clientFinishes)
    {
        var (client, dc) = _stage.Relay();
        var (first, second) = clientFinishes ? (client.Peer, dc.Peer) : (dc.Peer, client.Peer);
        client.Say("a question"u8);
        first.Finish();
        for (var seconds = 0; seconds < 30; seconds += 5)
        {
            // Each byte of the side that goes on gives it ten seconds more.
            _stage.Advance(5);
            if (clientFinishes) dc.Say([1]);
            else client.Say([1]);
        }

        _stage.Advance(9.9);
        Assert.Equal(PeerEnd.Fin, second.End);
        Assert.False(dc.Peer.IsReleased);
        _stage.Advance(1.2);
        Assert.Equal(PeerEnd.Fin, first.End);
        Assert.True(dc.Peer.IsReleased);
        _stage.Advance(5); // what a client that goes on sending has left, so that it sees no RST
        _stage.AssertClosed(clientFinishes ? "client_closed (client)" : "dc_closed (telegram)");
    }

    [Fact]
    public void A_client_that_finishes_with_its_answer_leaves_no_port_in_use()
    {
        var (client, dc) = _stage.Relay();
        client.Say("question"u8);
        dc.Say("answer"u8);
        _stage.Run();
        Assert.Equal(1, _stage.Metrics.Observe("portico.dc.ports.used"));
        client.Peer.Finish();
        _stage.Advance(0.2);
        Assert.Equal((PeerEnd.Fin, PeerEnd.Reset), (client.Peer.End, dc.Peer.End));
        _stage.AssertClosed("client_closed (client)");
        Assert.Equal(0, _stage.Metrics.Observe("portico.dc.ports.used"));
    }

    [Fact]
    public void A_client_that_finishes_between_two_packets_of_an_answer_gets_both()
    {
        var (client, dc) = _stage.Relay();
        client.Say("question"u8);
        dc.Say("one "u8);
        _stage.Run();
        client.Peer.Finish();
        _stage.Advance(0.005);
        dc.Say("two "u8);
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, dc.Peer.End);
        _stage.Advance(5);
        dc.Say("three"u8);
        dc.Peer.Finish();
        _stage.Run();
        Assert.Equal("one two three"u8.ToArray(), client.Text);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void A_client_that_resets_with_bytes_on_their_way_to_the_dc_ends_it_with_fin_behind_them()
    {
        var (client, dc) = _stage.Relay();
        Stall(dc.Peer);
        client.Say(_text.AsSpan(0, 20_000));
        _stage.Run();
        client.Peer.Reset();
        _stage.Run();
        Assert.True(dc.Peer.IsReleased);
        dc.Peer.ReadsAtOnce = true;
        Assert.Equal(PeerEnd.Fin, dc.Peer.End);
    }

    [Fact]
    public void A_dc_that_acknowledges_nothing_for_thirty_seconds_ends_the_session_and_the_client_sees_fin()
    {
        var (client, dc) = _stage.Relay();
        dc.Say("hello"u8);
        _stage.Advance(100);
        dc.Peer.IsUnreachable = true;
        client.Say("question"u8);
        _stage.Advance(29);
        _stage.AssertOpen();
        _stage.Advance(6);
        Assert.True(dc.Peer.IsReleased);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        client.Peer.Finish();
        _stage.Run();
        _stage.AssertClosed("dc_reset (telegram)");
    }

    [Fact]
    public void A_dc_that_takes_the_question_and_answers_late_keeps_its_session()
    {
        var (client, dc) = _stage.Relay();
        client.Say("question"u8);
        _stage.Advance(300);
        dc.Say("answer"u8);
        _stage.Run();
        Assert.Equal("answer"u8.ToArray(), client.Text);
        _stage.AssertOpen();
    }

    [Fact]
    public void Fin_travels_behind_what_a_slow_dc_has_not_taken()
    {
        var (client, dc) = _stage.Relay();
        Stall(dc.Peer);
        client.Say(_text);
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.None, dc.Peer.End);
        dc.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.True(dc.Text.AsSpan().SequenceEqual(_text));
        Assert.Equal(PeerEnd.Fin, dc.Peer.End);
    }

    [Fact]
    public void Fin_travels_behind_what_a_slow_client_has_not_taken()
    {
        var (client, dc) = _stage.Relay();
        Stall(client.Peer);
        dc.Say(_text);
        dc.Peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.None, client.Peer.End);
        client.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.True(client.Text.AsSpan().SequenceEqual(_text));
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void When_both_have_finished_what_is_still_pending_is_delivered_and_the_session_ends_then(bool toClient)
    {
        var (client, dc) = _stage.Relay();
        Stall(toClient ? client.Peer : dc.Peer);
        if (toClient) dc.Say(_text.AsSpan(0, 40_000));
        else client.Say(_text.AsSpan(0, 40_000));
        _stage.Run();
        client.Peer.Finish();
        _stage.Run();
        dc.Peer.Finish();
        _stage.Run();
        _stage.AssertOpen();
        (toClient ? client.Peer : dc.Peer).ReadsAtOnce = true;
        _stage.Run();
        Assert.True((toClient ? client.Text : dc.Text).AsSpan().SequenceEqual(_text.AsSpan(0, 40_000)));
        // The end of a side is noticed when what it said before has gone on.
        _stage.AssertClosed(toClient ? "client_closed (client)" : "dc_closed (telegram)");
    }

    [Fact]
    public void A_reset_of_the_client_ends_the_dcs_connection_at_once()
    {
        var (client, dc) = _stage.Relay();
        client.Say("good"u8);
        _stage.Run();
        client.Peer.Reset();
        _stage.Run();
        Assert.Equal("good"u8.ToArray(), dc.Text);
        Assert.Equal(PeerEnd.Reset, dc.Peer.End);
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void A_reset_of_the_dc_ends_the_clients_connection_after_what_came_before_it()
    {
        var (client, dc) = _stage.Relay();
        dc.Say("good"u8);
        dc.Peer.Reset();
        _stage.Run();
        Assert.Equal("good"u8.ToArray(), client.Text);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.True(dc.Peer.IsReleased);
        client.Say("on its way already"u8);
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        _stage.AssertClosed("dc_reset (telegram)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_reset_of_the_client_with_output_pending_either_way_leaves_nothing(bool towardsClient)
    {
        var (client, dc) = _stage.Relay();
        Stall(towardsClient ? client.Peer : dc.Peer);
        if (towardsClient) dc.Say(_text);
        else client.Say(_text);
        _stage.Run();
        client.Peer.Reset();
        _stage.Run();
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void A_reset_of_a_dc_that_was_not_reading_leaves_nothing()
    {
        var (client, dc) = _stage.Relay();
        Stall(dc.Peer);
        client.Say(_text);
        _stage.Run();
        dc.Peer.Reset();
        _stage.Run();
        Assert.True(dc.Peer.IsReleased);
        Assert.Equal(0, _stage.Loop.Buffers.Rented);
        client.Peer.Finish();
        _stage.Run();
        _stage.AssertClosed("dc_reset (telegram)");
    }

    [Fact]
    public void A_reset_of_the_dc_while_the_client_is_slow_is_acted_on_when_the_client_has_what_came_before()
    {
        var (client, dc) = _stage.Relay();
        Stall(client.Peer);
        dc.Say(_text.AsSpan(0, 60_000));
        dc.Peer.Reset();
        _stage.Run();
        client.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.True(client.Text.AsSpan().SequenceEqual(_text.AsSpan(0, 60_000)));
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        client.Peer.Finish();
        _stage.Run();
        _stage.AssertClosed("dc_reset (telegram)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_reset_after_the_other_side_has_finished_is_the_end_and_the_first_reason_stays(bool clientFinishes)
    {
        var (client, dc) = _stage.Relay();
        var (first, second) = clientFinishes ? (client.Peer, dc.Peer) : (dc.Peer, client.Peer);
        first.Finish();
        _stage.Run();
        second.Reset();
        _stage.Run();
        _stage.AssertClosed(clientFinishes ? "client_closed (client)" : "dc_closed (telegram)");
    }

    [Fact]
    public void Twenty_minutes_without_a_byte_end_a_session_and_not_before()
    {
        var (client, dc) = _stage.Relay();
        _stage.Advance((20 * 60) - 0.1);
        _stage.AssertOpen();
        _stage.Advance(0.2);
        Assert.Equal((PeerEnd.Fin, PeerEnd.Reset), (client.Peer.End, dc.Peer.End));
        _stage.AssertClosed("idle_timeout (client)");
        Assert.Equal(1, _stage.Metrics.Sum("portico.timeouts", "phase", "idle"));
    }

    [Fact]
    public void A_byte_in_either_direction_moves_the_idle_limit()
    {
        var (client, dc) = _stage.Relay();
        _stage.Advance(19 * 60);
        client.Say([1]);
        _stage.Advance(19 * 60);
        dc.Say([1]);
        _stage.Advance((20 * 60) - 1);
        _stage.AssertOpen();
        _stage.Advance(2);
        _stage.AssertClosed("idle_timeout (client)");
    }

    [Fact]
    public void An_idle_session_holds_no_buffer()
    {
        var (client, dc) = _stage.Relay();
        client.Say(_text);
        dc.Say(_text);
        _stage.Run();
        Assert.Equal(0, _stage.Loop.Buffers.Rented);
        _stage.AssertOpen();
    }

    [Fact]
    public void A_record_no_tls_peer_sends_ends_the_dcs_connection_and_is_answered_with_one_alert()
    {
        var (client, dc) = _stage.Relay();
        client.Peer.Send([.. client.Encode("good"u8), 0x16, 3, 3, 0, 1, 1]);
        _stage.Run();
        Assert.Equal("good"u8.ToArray(), dc.Text);
        Assert.Equal(PeerEnd.Reset, dc.Peer.End);
        client.Peer.Send(new byte[100]);
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        var answer = client.Peer.Take();
        Assert.Equal([0x17, 3, 3, 0, 19], answer[..5]);
        Assert.Equal(24, answer.Length);
        Assert.Equal(1, _stage.Metrics.Sum("portico.protocol.error", "reason", "tls_bad_record"));
        client.Peer.Finish();
        _stage.Run();
        _stage.AssertClosed("tls_bad_record (client)");
    }

    [Fact]
    public void An_alert_of_the_client_is_its_end()
    {
        var (client, dc) = _stage.Relay();
        client.Peer.Send([.. client.Encode("good"u8), 0x15, 3, 3, 0, 2, 1, 0]);
        _stage.Run();
        Assert.Equal("good"u8.ToArray(), dc.Text);
        Assert.Equal(PeerEnd.Fin, dc.Peer.End);
        dc.Peer.Finish();
        _stage.Run();
        Assert.Empty(client.Payload);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);

        // What it says after its alert is read and thrown away: unread, it would turn our FIN into RST.
        client.Peer.Send([1, 2, 3]);
        _stage.Run();
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void An_alert_after_the_dc_has_finished_is_answered_with_fin_whatever_follows_it()
    {
        var (client, dc) = _stage.Relay();
        dc.Peer.Finish();
        _stage.Run();
        client.Peer.Send([0x15, 3, 3, 0, 2, 1, 0]);
        _stage.Run();
        client.Peer.Send([1, 2, 3]);
        _stage.Run();
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        _stage.AssertClosed("dc_closed (telegram)");
    }

    private static void Stall(MemoryPeer peer)
    {
        peer.ReadsAtOnce = false;
        peer.ToPeer.Capacity = 10_000;
    }
}
