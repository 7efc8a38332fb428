using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Cover;

/// <summary>A stranger at the cover: bytes, ends and faults, each way.</summary>
public sealed class CoverRelayTests : IDisposable
{
    private readonly Stage _stage = new(change: Stage.WithCover());

    public void Dispose()
    {
        _stage.Stop();
        _stage.AssertNothingLeft();
        _stage.Dispose();
    }

    [Fact]
    public void The_cover_finishes_first_and_still_hears_the_stranger()
    {
        var (peer, cover) = Meet();
        cover.Send([1, 2]);
        cover.Finish();
        _stage.Run();
        Assert.Equal([1, 2], peer.Take());
        Assert.Equal(PeerEnd.Fin, peer.End);
        peer.Send([3, 4]);
        _stage.Run();
        Assert.Equal([3, 4], cover.Take());
        peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, cover.End);
        _stage.AssertClosed("cover_closed (cover)");
        _stage.AssertNoFault();
    }

    [Fact]
    public void The_stranger_finishes_first_and_still_hears_the_cover()
    {
        var (peer, cover) = Meet();
        peer.Send([3, 4]);
        peer.Finish();
        _stage.Run();
        Assert.Equal([3, 4], cover.Take());
        Assert.Equal(PeerEnd.Fin, cover.End);
        _stage.Advance(3600);
        Assert.Equal(PeerEnd.None, peer.End);
        cover.Send([1, 2]);
        cover.Finish();
        _stage.Run();
        Assert.Equal([1, 2], peer.Take());
        Assert.Equal(PeerEnd.Fin, peer.End);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void A_reset_of_the_cover_is_a_reset_to_the_stranger_behind_what_was_sent()
    {
        var (peer, cover) = Meet();
        cover.Send([1, 2]);
        cover.Reset();
        _stage.Run();
        Assert.Equal([1, 2], peer.Take());
        Assert.Equal(PeerEnd.Reset, peer.End);
        _stage.AssertClosed("cover_reset (cover)");
    }

    [Fact]
    public void A_reset_of_the_stranger_is_a_reset_to_the_cover()
    {
        var (peer, cover) = Meet();
        peer.Reset();
        _stage.Run();
        Assert.Equal(PeerEnd.Reset, cover.End);
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void What_a_cover_said_before_its_reset_is_delivered_even_if_a_write_hears_of_the_reset_first()
    {
        var (peer, cover) = Meet();
        peer.Send([3]);
        _stage.Loop.BetweenSteps = () =>
        {
            // Between the proxy's read and its write.
            _stage.Loop.BetweenSteps = () =>
            {
                _stage.Loop.BetweenSteps = null;
                cover.Send([1, 2]);
                cover.Reset();
            };
        };
        _stage.Run();
        Assert.Equal([1, 2], peer.Take());
        Assert.Equal(PeerEnd.Reset, peer.End);
        _stage.AssertClosed("cover_reset (cover)");
    }

    [Fact]
    public void A_cover_that_is_forgotten_by_its_system_after_its_end_costs_a_silent_stranger_no_reset()
    {
        var (peer, cover) = Meet();
        cover.Finish();
        _stage.Run();
        cover.Reset();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, peer.End);
        _stage.AssertClosed("cover_closed (cover)");
    }

    [Fact]
    public void Bytes_for_a_cover_that_has_closed_are_answered_by_a_reset_as_the_cover_would()
    {
        var (peer, cover) = Meet();
        cover.Finish();
        _stage.Run();
        peer.Send([1]);
        _stage.Run();
        cover.Reset();
        _stage.Run();
        Assert.Equal(PeerEnd.Reset, peer.End);
        _stage.AssertClosed("cover_closed (cover)");
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Megabytes_arrive_whole_both_ways_through_slow_peers_and_no_buffer_is_left(int? seed)
    {
        using var stage = new Stage(seed: seed, change: Stage.WithCover());
        var peer = stage.CallRaw();
        byte[] first = [0x20, .. RandomNumberGenerator.GetBytes(50)];
        peer.Send(first);
        stage.Run();
        if (seed is not null) stage.Loop.Connects[^1].Succeed();
        stage.Run();
        var cover = stage.Covers.Single();
        var (up, down) = (RandomNumberGenerator.GetBytes(1_000_000), RandomNumberGenerator.GetBytes(3_000_000));
        (peer.ReadsAtOnce, cover.ReadsAtOnce) = (false, false);
        peer.Send(up);
        cover.Send(down);
        stage.Run();
        Assert.InRange(stage.Loop.Buffers.Rented, 1, 2 * 66_560); // one scratch area per direction waits, no more
        (peer.ReadsAtOnce, cover.ReadsAtOnce) = (true, true);
        for (var i = 0; i < 200 && (peer.CollectedLength < down.Length || cover.CollectedLength < first.Length + up.Length); i++)
            stage.Run();
        Assert.Equal([.. first, .. up], cover.Take());
        Assert.Equal(down, peer.Take());
        Assert.Equal(0, stage.Loop.Buffers.Rented);
        cover.Finish();
        peer.Finish();
        stage.Run();
        Assert.Equal(PeerEnd.Fin, peer.End);
        Assert.Equal(PeerEnd.Fin, cover.End);
        Assert.Single(stage.Metrics.Closed);
        stage.AssertNothingLeft();
        stage.AssertNoFault();
    }

    [Fact]
    public void An_end_waits_for_what_a_slow_peer_has_not_taken()
    {
        var (peer, cover) = Meet();
        peer.ReadsAtOnce = false;
        var much = RandomNumberGenerator.GetBytes(200_000);
        cover.Send(much);
        cover.Finish();
        peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.None, peer.End);
        _stage.AssertOpen();
        peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.Equal(much, peer.Take());
        Assert.Equal(PeerEnd.Fin, peer.End);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void A_fault_while_reading_the_stranger_ends_this_relay_only()
    {
        var (bystander, bystandersCover) = Meet();
        var (peer, cover) = Meet();
        peer.NextReadThrows = new TimeZoneNotFoundException();
        peer.Send([1]);
        AssertOnlyThisEnded(peer, cover, bystander, bystandersCover);
    }

    [Fact]
    public void A_fault_while_reading_the_cover_ends_this_relay_only()
    {
        var (bystander, bystandersCover) = Meet();
        var (peer, cover) = Meet();
        cover.NextReadThrows = new TimeZoneNotFoundException();
        cover.Send([1]);
        AssertOnlyThisEnded(peer, cover, bystander, bystandersCover);
    }

    [Fact]
    public void A_fault_in_the_first_read_of_a_relay_ends_this_one_only()
    {
        var (bystander, bystandersCover) = Meet();
        _stage.Loop.Connected = connect =>
        {
            connect.Peer.Send([1]);
            connect.Peer.NextReadThrows = new TimeZoneNotFoundException();
        };
        var peer = _stage.CallRaw();
        peer.Send([0x20]);
        _stage.Run();
        AssertOnlyThisEnded(peer, _stage.Covers.Last(), bystander, bystandersCover);
    }

    [Fact]
    public void A_stop_closes_strangers_at_the_cover()
    {
        var (peer, cover) = Meet();
        _stage.Stop();
        Assert.NotEqual(PeerEnd.None, peer.End);
        Assert.True(cover.IsReleased);
        _stage.AssertClosed("shutdown (operator)");
    }

    [Fact]
    public void A_stop_while_the_cover_is_being_connected_closes_everything()
    {
        _stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.Silence);
        _stage.CallRaw().Send([0x20]);
        var undecided = _stage.CallRaw();
        undecided.Send([0x16]);
        _stage.Advance(1);
        Assert.Equal(2, _stage.Covers.Count());
        _stage.Stop();
        _stage.AssertClosed("shutdown (operator)", "shutdown (operator)");
    }

    [Fact]
    public void A_cover_that_refuses_costs_a_stranger_its_connection_without_a_byte_and_the_operator_hears_of_it_once()
    {
        _stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.Refuse);
        for (var i = 0; i < 2; i++)
        {
            var peer = _stage.CallRaw();
            peer.Send([0x20]);
            _stage.Run();
            Assert.Empty(peer.Take());
            Assert.Equal(PeerEnd.Fin, peer.End);
            peer.Finish();
            _stage.Run();
        }

        _stage.AssertClosed("cover_connect_failed (cover)", "cover_connect_failed (cover)");
        Assert.Equal(2, _stage.Metrics.Sum("portico.cover", "result", "connect_error"));
        var warning = Assert.Single(_stage.Log.Lines, line => line.EventName == "CoverUnreachable" && line.Level == LogLevel.Warning);
        Assert.Contains($"({Stage.CoverAddress} connection refused)", warning.Text, StringComparison.Ordinal);

        _stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.Accept);
        Meet();
        Assert.Single(_stage.Log.Lines, line => line.EventName == "CoverReachable");
    }

    [Fact]
    public void A_cover_for_which_there_is_no_socket_is_not_to_blame()
    {
        _stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.NoSocket);
        _stage.CallRaw().Send([0x20]);
        _stage.Run();
        Assert.Equal("NoDescriptors", Assert.Single(_stage.Log.Lines, line => line.Level > LogLevel.Debug).EventName);
    }

    [Fact]
    public void A_cover_that_does_not_answer_costs_a_stranger_its_connection_after_ten_seconds()
    {
        _stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.Silence);
        var peer = _stage.CallRaw();
        peer.Send([0x20]);
        _stage.Advance(9.9);
        Assert.Equal(PeerEnd.None, peer.End);
        _stage.Advance(0.2);
        Assert.Equal(PeerEnd.Fin, peer.End);
        peer.Finish();
        _stage.Run();
        _stage.AssertClosed("cover_connect_timeout (cover)");
    }

    [Fact]
    public void While_the_cover_is_down_a_slow_client_of_ours_still_gets_in_before_the_handshake_deadline()
    {
        _stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.Refuse);
        var client = _stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, 100));
        _stage.Advance(9);
        client.Peer.Send(client.Hello.AsSpan(100));
        _stage.Run();
        Assert.True(client.HasFlight);
    }

    [Fact]
    public void While_the_cover_is_down_silence_ends_at_the_handshake_deadline()
    {
        _stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.Refuse);
        var peer = _stage.CallRaw();
        _stage.Advance(9.9);
        Assert.Equal(PeerEnd.None, peer.End);
        _stage.Advance(0.2);
        Assert.Equal(PeerEnd.Fin, peer.End);
        _stage.AssertClosed("handshake_timeout (client)");
    }

    [Fact]
    public void A_stranger_who_resets_while_the_cover_is_being_connected_takes_the_attempt_along()
    {
        _stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.Silence);
        var peer = _stage.CallRaw();
        peer.Send([0x20]);
        _stage.Run();
        peer.Reset();
        _stage.Run();
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void A_stranger_who_finishes_while_the_cover_is_being_connected_is_told_to_it()
    {
        _stage.Loop.Answer(Stage.CoverAddress, ConnectAnswer.Silence);
        var peer = _stage.CallRaw();
        peer.Send([0x20, 1]);
        _stage.Run();
        peer.Send([2]);
        peer.Finish();
        _stage.Run();
        _stage.Loop.Connects[^1].Succeed();
        _stage.Run();
        Assert.Equal([0x20, 1, 2], _stage.Covers.Single().Take());
        Assert.Equal(PeerEnd.Fin, _stage.Covers.Single().End);
    }

    private (MemoryPeer Peer, MemoryPeer Cover) Meet()
    {
        var peer = _stage.CallRaw();
        peer.Send([0x20]);
        _stage.Run();
        var cover = _stage.Covers.Last();
        Assert.Equal([0x20], cover.Take());
        return (peer, cover);
    }

    private void AssertOnlyThisEnded(MemoryPeer peer, MemoryPeer cover, MemoryPeer bystander, MemoryPeer bystandersCover)
    {
        _stage.Run();
        Assert.True(peer.IsReleased);
        Assert.True(cover.IsReleased);
        Assert.Equal(["internal_error (proxy)"], _stage.Metrics.Closed);
        Assert.Equal(1, _stage.Proxy.Cover.Budget.Count);
        Assert.Equal(0, _stage.Loop.Buffers.Rented);
        bystander.Send([8]);
        bystandersCover.Send([9]);
        _stage.Run();
        Assert.Equal([8], bystandersCover.Take());
        Assert.Equal([9], bystander.Take());
    }
}
