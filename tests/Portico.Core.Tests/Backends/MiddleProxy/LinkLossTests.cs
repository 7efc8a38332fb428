using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Links die every minute. Who had nothing under way does not notice; who had is told by a close.</summary>
public sealed class LinkLossTests : IDisposable
{
    private readonly MiddleStage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_client_at_rest_moves_to_a_new_link_under_a_new_id(bool isReset)
    {
        var (client, old, oldId) = _stage.Rest();
        _stage.Advance(3);
        End(old, isReset);
        _stage.Run();
        client.Send([1, 2, 3, 4]);
        _stage.Run();
        var link = Assert.Single(_stage.OpenLinks);
        var request = Assert.Single(link.Requests);
        Assert.Equal([1, 2, 3, 4], request.Packet);
        Assert.NotEqual(oldId, request.Id);
        link.Answer(request.Id, [5, 6, 7, 8]);
        _stage.Run();
        Assert.Equal([5, 6, 7, 8], client.Packets[^1]);
        Assert.Equal(1, _stage.Migrations("ok"));
        Assert.Empty(_stage.Metrics.Closed);
    }

    [Fact]
    public void A_client_whose_packet_had_no_answer_yet_is_closed()
    {
        var (client, link, _) = _stage.Introduce();
        link.Finish();
        _stage.Run();
        Assert.True(client.IsEnded);
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal(1, _stage.Migrations("mid_send"));
        _stage.AssertClosed("mid_send (telegram)");
    }

    [Theory]
    [InlineData(1.9, true)]
    [InlineData(2.1, false)]
    public void A_client_moves_only_when_it_was_quiet_for_two_seconds(double seconds, bool isClosed)
    {
        var (client, link, id) = _stage.Rest();
        _stage.Advance(5);
        link.Answer(id, [1, 2, 3, 4]);
        _stage.Run();
        _stage.Advance(seconds);
        link.Finish();
        _stage.Run();
        Assert.Equal(isClosed, client.IsEnded);
        Assert.Equal(1, _stage.Migrations(isClosed ? "mid_send" : "ok"));
    }

    [Theory]
    [InlineData(29.8, true)]
    [InlineData(30.2, false)]
    public void A_last_packet_without_answer_keeps_a_client_from_moving_for_half_a_minute(double seconds, bool isClosed)
    {
        var (client, link, _) = _stage.Introduce();
        _stage.Advance(seconds);
        link.Finish();
        _stage.Run();
        Assert.Equal(isClosed, client.IsEnded);
        Assert.Equal(1, _stage.Migrations(isClosed ? "mid_send" : "ok"));
    }

    [Fact]
    public void Answers_to_earlier_packets_do_not_make_up_for_the_last_one()
    {
        var (client, link, id) = _stage.Rest();
        for (var i = 0; i < 3; i++) link.Answer(id, [1, 2, 3, 4]);
        _stage.Run();
        client.Send([5, 6, 7, 8]);
        _stage.Advance(3);
        link.Reset();
        _stage.Run();
        Assert.True(client.IsEnded);
    }

    [Fact]
    public void The_client_whose_answer_was_half_received_is_closed_and_the_others_move()
    {
        var (victim, link, id) = _stage.Rest();
        var (other, _, _) = _stage.Rest();
        _stage.Advance(5);
        link.Peer.Send(link.AnswerBytes(id, new byte[5000]).AsSpan(0, 3000));
        _stage.Run();
        link.Finish();
        _stage.Run();
        Assert.True(victim.IsEnded);
        Assert.False(other.IsEnded);
        Assert.Equal((1, 1), (_stage.Migrations("mid_send"), _stage.Migrations("ok")));
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void Clients_wait_ten_seconds_for_another_link_and_no_longer()
    {
        var (client, link, _) = _stage.Rest();
        _stage.Advance(3);
        _stage.Loop.Answer(StageLink.Address, ConnectAnswer.Refuse);
        link.Finish();
        _stage.Run();
        _stage.Advance(9.9);
        Assert.False(client.IsEnded);
        _stage.Advance(0.2);
        Assert.True(client.IsEnded);
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal(1, _stage.Migrations("empty"));
        _stage.AssertClosed("pool_empty (telegram)");
        var attempts = _stage.Links.Count;
        _stage.Advance(60);
        Assert.Equal(attempts, _stage.Links.Count); // nobody wants a link any more
    }

    [Fact]
    public void What_a_waiting_client_says_reaches_the_next_link()
    {
        var (client, link, _) = _stage.Rest();
        _stage.Advance(3);
        _stage.Loop.Answer(StageLink.Address, ConnectAnswer.Silence);
        link.Finish();
        _stage.Run();
        client.Send([9, 9, 9, 9]);
        _stage.Advance(7);
        _stage.Loop.Connects.Last(connect => connect.Address.Equals(StageLink.Address)).Succeed();
        _stage.Run();
        Assert.Equal([9, 9, 9, 9], Assert.Single(_stage.OpenLinks.Single().Requests).Packet);
        Assert.Equal(1, _stage.Migrations("ok"));
    }

    [Fact]
    public void A_client_that_hangs_up_while_it_waits_is_neither_moved_nor_lost_count_of()
    {
        var (client, link, _) = _stage.Rest();
        _stage.Advance(3);
        _stage.Loop.Answer(StageLink.Address, ConnectAnswer.Silence);
        link.Finish();
        _stage.Run();
        client.Peer.Reset();
        _stage.Run();
        _stage.AssertClosed("client_reset (client)");
        _stage.Loop.Connects.Last(connect => connect.Address.Equals(StageLink.Address)).Succeed();
        _stage.Run();
        _stage.AssertClosed("client_reset (client)");
        Assert.Equal(0, _stage.Migrations("ok"));
    }

    [Fact]
    public void The_idle_limit_ends_a_silent_client_however_often_its_link_dies()
    {
        using var stage = new MiddleStage(change: Stage.WithTimeouts(timeouts => timeouts with { Idle = TimeSpan.FromSeconds(100) }));
        var (client, _, _) = stage.Rest();
        for (var second = 0; second < 90; second += 30)
        {
            stage.Advance(30);
            Assert.Single(stage.OpenLinks).Finish();
            stage.Run();
        }

        Assert.False(client.IsEnded);
        Assert.Equal(3, stage.Migrations("ok"));
        stage.Advance(11);
        stage.AssertClosed("idle_timeout (client)");
    }

    [Fact]
    public void Several_links_lost_at_once_lose_nobody_who_was_at_rest()
    {
        using var stage = new MiddleStage(change: settings => settings with { Middle = settings.Middle with { ClientsPerConnection = 5 } });
        var clients = Enumerable.Range(0, 30).Select(_ => stage.Enter()).ToList();
        stage.Advance(3);
        Assert.True(stage.OpenLinks.Count() > 2);
        for (var round = 0; round < 3; round++)
        {
            foreach (var link in stage.OpenLinks.ToList()) link.Finish();
            stage.Run();
            stage.Advance(3);
        }

        Assert.All(clients, client => Assert.False(client.IsEnded));
        Assert.Equal(0, stage.Migrations("mid_send") + stage.Migrations("empty"));
        Assert.Equal(30, stage.Metrics.Observe("portico.dc.clients"));
        foreach (var client in clients) client.Send([(byte)clients.IndexOf(client), 0, 0, 0]);
        stage.Run();
        Assert.Equal(
            Enumerable.Range(0, 30),
            stage.OpenLinks.SelectMany(link => link.Requests).Select(request => (int)request.Packet[0]).Order());
    }

    [Fact]
    public void No_farewell_is_said_for_a_client_that_never_sent_on_its_new_link()
    {
        var (client, link, _) = _stage.Rest();
        _stage.Advance(3);
        link.Finish();
        _stage.Advance(0.5);
        client.Peer.Finish();
        _stage.Run();
        Assert.Empty(Assert.Single(_stage.OpenLinks).Farewells);
        _stage.AssertClosed("client_closed (client)");
    }

    private static void End(StageLink link, bool isReset)
    {
        if (isReset) link.Reset();
        else link.Finish();
    }
}
