using System.Net;
using Portico.Core.Telegram;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Links that go silent, take nothing, are not needed, or whose handler has a bug.</summary>
public sealed class LinkHealthTests : IDisposable
{
    private static readonly IPEndPoint AnotherDc = EmbeddedConfig.V4.Endpoints(4).First();

    private readonly MiddleStage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void A_link_that_is_silent_for_a_minute_is_asked_once_and_lost_after_a_second_minute()
    {
        var (client, link, _) = _stage.Rest();
        _stage.Advance(59);
        Assert.Equal(0, link.Pings);
        _stage.Advance(12);
        Assert.Equal(1, link.Pings);
        _stage.Advance(48);
        Assert.Equal((1, true), (link.Pings, link.IsOpen));
        _stage.Advance(13);
        Assert.False(link.IsOpen);
        Assert.False(client.IsEnded);
        Assert.Equal(1, _stage.Migrations("ok"));
    }

    [Fact]
    public void A_link_that_answers_lives()
    {
        var (_, link, _) = _stage.Rest();
        for (var round = 1; round <= 3; round++)
        {
            _stage.Advance(71);
            Assert.Equal(round, link.Pings);
            link.Pong(1);
            _stage.Run();
        }

        Assert.True(link.IsOpen);
        Assert.Single(_stage.Links);
    }

    [Fact]
    public void A_ping_is_answered()
    {
        var (_, link, _) = _stage.Rest();
        link.Ping(77);
        _stage.Run();
        Assert.Equal(1, link.Pongs);
    }

    [Fact]
    public void A_link_that_takes_no_bytes_for_twenty_seconds_is_lost_and_only_who_waits_in_it_is_closed()
    {
        var (sender, link, _) = _stage.Rest();
        var (idle, _, _) = _stage.Rest();
        _stage.Advance(3);
        link.Peer.ReadsAtOnce = false;
        link.Peer.ToPeer.Capacity = 100;
        sender.Send(new byte[5000]);
        _stage.Run();
        _stage.Advance(19.5);
        Assert.True(link.IsOpen);
        _stage.Advance(6);
        Assert.False(link.IsOpen);
        Assert.True(sender.IsEnded);
        Assert.False(idle.IsEnded);
    }

    [Fact]
    public void A_link_whose_way_vanishes_under_a_request_is_lost_before_that_request_counts_as_one_without_answer()
    {
        var (asking, link, _) = _stage.Rest();
        var (idle, _, _) = _stage.Rest();
        _stage.Advance(13);
        link.Peer.IsUnreachable = true;
        asking.Send(new byte[100]); // less than any buffer
        _stage.Advance(19.5);
        Assert.True(link.IsOpen);
        _stage.Advance(6);
        Assert.True(asking.IsEnded);
        Assert.False(idle.IsEnded);
        Assert.Equal((1, 1), (_stage.Migrations("mid_send"), _stage.Migrations("ok")));
    }

    [Fact]
    public void Clients_are_not_read_while_their_link_takes_nothing_and_go_on_afterwards()
    {
        var (sender, link, _) = _stage.Rest();
        var (second, _, _) = _stage.Rest();
        link.Peer.ReadsAtOnce = false;
        for (var i = 0; i < 40; i++)
        {
            sender.Send(new byte[50_000]);
            second.Send(new byte[50_000]);
        }

        _stage.Run();
        Assert.True(sender.Peer.Unread > 500_000);
        Assert.InRange(_stage.Loop.Buffers.Rented, 1, 2_500_000);
        link.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.Equal(80, link.Requests.Count(request => request.Packet.Length == 50_000));
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void A_server_that_asks_and_does_not_read_is_let_go_before_it_fills_our_memory()
    {
        var (client, link, _) = _stage.Rest();
        _stage.Advance(3);
        link.Peer.ReadsAtOnce = false;
        for (var i = 0; i < 200_000 && link.IsOpen; i++)
        {
            link.Ping(i);
            if (i % 1000 == 0) _stage.Stage.Run();
        }

        _stage.Run();
        Assert.False(link.IsOpen);
        Assert.False(client.IsEnded);
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void A_link_that_nobody_is_on_is_closed_after_two_minutes()
    {
        var (client, link, id) = _stage.Rest();
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal([id], link.Farewells);
        _stage.Advance(70);
        link.Pong(1);
        _stage.Advance(49);
        Assert.True(link.IsOpen);
        _stage.Advance(12);
        Assert.False(link.IsOpen);
        Assert.Single(_stage.Links);
        Assert.Equal(0, _stage.Metrics.Observe("portico.dc.connections"));
        Assert.Equal(0, _stage.Loop.Slots.Count);
    }

    [Fact]
    public void An_answer_for_an_unknown_id_is_met_with_a_farewell_and_its_close_is_not()
    {
        var (_, link, id) = _stage.Rest();
        link.Answer(id + 1000, new byte[8]);
        link.CloseExt(id + 2000);
        _stage.Run();
        Assert.Equal([id + 1000], link.Farewells);
        Assert.True(link.IsOpen);
    }

    [Fact]
    public void A_fault_of_ours_in_reading_a_link_moves_its_clients()
    {
        var (client, link, _) = _stage.Rest();
        _stage.Advance(3);
        link.Peer.NextReadThrows = new TimeZoneNotFoundException();
        link.Ping(1);
        _stage.Run();
        Assert.False(link.IsOpen);
        Assert.False(client.IsEnded);
        Assert.Equal("LinkFaulted", Assert.Single(_stage.Stage.Log.Errors).EventName);
        Assert.Equal(1, _stage.Migrations("ok"));
    }

    [Fact]
    public void A_fault_of_ours_in_an_answer_for_one_client_ends_that_client_alone()
    {
        var (victim, link, id) = _stage.Rest();
        var (other, _, otherId) = _stage.Rest();
        // The write is the second step of the loop's work on this answer: the first reads the link.
        var steps = 0;
        _stage.Loop.BetweenSteps = () =>
        {
            if (++steps == 2) throw new TimeZoneNotFoundException();
        };
        byte[] both = [.. link.AnswerBytes(id, new byte[8]), .. link.AnswerBytes(otherId, new byte[12])];
        link.Peer.Send(both);
        _stage.Run();
        _stage.Loop.BetweenSteps = null;
        Assert.True(victim.IsEnded);
        Assert.Equal(12, other.Packets[^1].Length);
        Assert.True(link.IsOpen);
        Assert.Equal([id], link.Farewells);
        Assert.Equal(["internal_error (proxy)"], _stage.Metrics.Closed);
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void A_fault_of_ours_in_reading_a_client_ends_that_client_alone()
    {
        var (victim, link, id) = _stage.Rest();
        var (other, _, _) = _stage.Rest();
        victim.Peer.NextReadThrows = new TimeZoneNotFoundException();
        victim.Send(new byte[8]);
        other.Send(new byte[16]);
        _stage.Run();
        Assert.True(victim.IsEnded);
        Assert.Equal([id], link.Farewells);
        Assert.Equal(16, link.Requests[^1].Packet.Length);
        Assert.Equal(["internal_error (proxy)"], _stage.Metrics.Closed);
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void Stopping_leaves_no_link_no_client_and_no_buffer()
    {
        var (client, link, id) = _stage.Rest();
        client.Peer.ReadsAtOnce = false;
        link.Answer(id, new byte[200_000]);
        client.Peer.Send(client.Encode(new byte[50_000]).AsSpan(0, 20_000));
        _stage.Loop.Answer(AnotherDc, ConnectAnswer.Silence);
        _stage.Enter(new ClientTraits { Dc = 4 });
        _stage.Run();
        _stage.Stage.Stop();
        _stage.Stage.AssertNothingLeft();
        Assert.Equal(0, _stage.Metrics.Observe("portico.dc.clients"));
        Assert.Equal(0, _stage.Metrics.Observe("portico.dc.connections"));
    }
}
