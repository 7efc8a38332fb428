using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Background;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Sessions;

/// <summary>What peers see while memory is short, with figures in the test's hands.</summary>
public sealed class MemoryGovernorTests
{
    // A sixteenth of it, for one session, is the share of that session: 10 KB.
    private const long Limit = 160_000;
    private const int Share = 10_000;
    private const int Text = 60_000;

    [Fact]
    public void Under_pressure_a_client_that_acknowledges_nothing_is_read_for_no_further_than_its_share()
    {
        using var stage = new Stage();
        var (client, dc) = stage.Relay();
        client.Peer.IsUnreachable = true;
        Look(stage, 86);
        dc.Say(new byte[Text]);
        stage.Advance(1);
        Assert.InRange(client.Peer.ToPeer.Length, 1, 2 * Share);
        Assert.True(dc.Peer.Unread >= Text - (2 * Share));

        // What arrives makes room for more, and no byte is lost, though the level stays.
        client.Peer.IsUnreachable = false;
        client.Peer.Deliver();
        stage.Advance(1);
        Assert.Equal(Text, client.Text.Length);
        Assert.Equal(0, stage.Loop.Buffers.Rented);
        stage.AssertOpen();
        stage.AssertNoFault();
    }

    [Fact]
    public void When_the_level_falls_reading_goes_on()
    {
        using var stage = new Stage();
        var (client, dc) = stage.Relay();
        client.Peer.IsUnreachable = true;
        Look(stage, 86);
        dc.Say(new byte[Text]);
        stage.Run();
        Look(stage, 75); // the level is over, and what others gave up is not for those that take nothing
        stage.Advance(1);
        Assert.Equal(MemoryLevel.Normal, stage.Proxy.Services.Memory.Level);
        Assert.InRange(client.Peer.ToPeer.Length, 1, 2 * Share);
        Look(stage, 69);
        stage.Advance(1);
        Assert.True(client.Peer.ToPeer.Length >= Text);
    }

    [Fact]
    public void Where_memory_rests_a_little_below_the_mark_everybody_is_served_in_full_after_half_a_minute()
    {
        using var stage = new Stage();
        var (client, dc) = stage.Relay();
        client.Peer.IsUnreachable = true;
        Look(stage, 86);
        dc.Say(new byte[Text]);
        stage.Run();
        for (var second = 0; second < 29; second++) RestFor(1);
        Assert.InRange(client.Peer.ToPeer.Length, 1, 2 * Share);
        for (var second = 0; second < 3; second++) RestFor(1);
        Assert.True(client.Peer.ToPeer.Length >= Text);
        stage.AssertOpen();

        void RestFor(double seconds)
        {
            Look(stage, 75);
            stage.Advance(seconds);
        }
    }

    [Fact]
    public void A_client_that_has_finished_sending_and_takes_nothing_is_let_go_with_what_it_holds()
    {
        using var stage = new Stage();
        var (client, dc) = stage.Relay();
        client.Peer.IsUnreachable = true;
        Look(stage, 86); // so the data centre has more for it
        dc.Say(new byte[Text]);
        stage.Run();
        client.Say("and an answer is due"u8);
        client.Peer.Finish();
        stage.Run();
        Look(stage, 93);
        stage.Advance(2.5);
        Look(stage, 93);
        stage.Advance(2.5);
        Look(stage, 93);

        Assert.Equal(["memory_pressure (proxy)"], stage.Metrics.Closed);
        Assert.Equal(PeerEnd.Reset, client.Peer.End);
    }

    [Fact]
    public void A_stranger_that_takes_nothing_goes_before_one_that_is_only_quiet()
    {
        using var stage = new Stage(change: Stage.WithCover());
        var deaf = Visit(stage);
        deaf.IsUnreachable = true;
        var cover = stage.Covers.Single();
        Look(stage, 86);
        cover.Send(new byte[Text]);
        stage.Run();
        stage.Advance(3);
        var quiet = Visit(stage);
        stage.Advance(3); // the deaf one is looked at again and again meanwhile

        Look(stage, 93, limit: 50_000); // one stranger's worth
        Assert.Equal(PeerEnd.None, quiet.End);
        Assert.NotEqual(PeerEnd.None, deaf.End);
    }

    [Fact]
    public void A_hello_that_came_when_memory_was_full_does_not_open_the_door_later()
    {
        using var stage = new Stage();
        Look(stage, 96);
        var client = stage.Call();
        client.Peer.Send(client.Hello);
        stage.Run();
        Look(stage, 50);

        var again = stage.CallRaw();
        again.Send(client.Hello);
        stage.Run();
        again.Finish();
        client.Peer.Finish();
        stage.Run();
        stage.AssertClosed("replay_session_detected (client)", "memory (proxy)");
    }

    [Fact]
    public void A_client_that_floods_a_data_centre_that_takes_nothing_is_held_to_its_share_too()
    {
        using var stage = new Stage();
        var (client, dc) = stage.Relay();
        dc.Peer.IsUnreachable = true;
        Look(stage, 86);
        client.Say(new byte[Text]);
        stage.Advance(1);
        Assert.InRange(dc.Peer.ToPeer.Length, 1, 2 * Share);
        Look(stage, 50);
        stage.Advance(1);
        Assert.Equal(0, client.Peer.Unread);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void In_any_weather_everything_arrives_under_pressure(int seed)
    {
        using var stage = new Stage(seed: seed);
        var (client, dc) = stage.Relay();
        var (down, up) = (new byte[300_000], new byte[300_000]);
        new Random(seed).NextBytes(down);
        new Random(-seed).NextBytes(up);
        Look(stage, 91);
        dc.Say(down);
        client.Say(up);
        for (var i = 0; i < 100 && (client.Text.Length < down.Length || dc.Text.Length < up.Length); i++)
        {
            if (i % 10 == 5) Look(stage, 50);
            if (i % 10 == 9) Look(stage, 91);
            stage.Advance(0.1);
        }

        Assert.Equal(down, client.Text);
        Assert.Equal(up, dc.Text);
        stage.AssertNoFault();
    }

    [Fact]
    public void A_loop_that_has_lent_more_than_its_budget_rents_no_more_for_slow_clients()
    {
        using var stage = new Stage();
        var (client, dc) = stage.Relay();
        client.Peer.IsUnreachable = true;
        stage.Loop.Buffers.Budget = -1;
        dc.Say(new byte[300_000]);
        stage.Advance(1);
        Assert.Equal(0, stage.Loop.Buffers.Rented);
        Assert.InRange(client.Peer.ToPeer.Length, 1, 64 * 1024);
        stage.Loop.Buffers.Budget = 1_000_000;
        stage.Advance(1);
        Assert.True(stage.Loop.Buffers.Rented > 0);
    }

    [Fact]
    public void A_client_that_takes_nothing_while_pressure_lasts_is_let_go_and_one_that_gets_on_is_not()
    {
        using var stage = new Stage();
        var (deaf, first) = stage.Relay();
        var (good, second) = stage.Relay();
        deaf.Peer.IsUnreachable = true;
        first.Say(new byte[Text]);
        second.Say(new byte[Text]);
        Look(stage, 86);
        stage.Advance(4);
        Look(stage, 86);
        stage.AssertOpen();
        stage.Advance(2);
        Look(stage, 86);

        Assert.Equal(["memory_pressure (proxy)"], stage.Metrics.Closed);
        Assert.Equal(PeerEnd.Reset, deaf.Peer.End); // or the kernel would keep what waits
        Assert.True(first.Peer.IsReleased);
        Assert.Equal(1, stage.Metrics.Sum("portico.memory.shed", "standing", "client"));
        Assert.Equal(PeerEnd.None, good.Peer.End);
        second.Say("still here"u8);
        stage.Run();
        Assert.Equal(Text + 10, good.Text.Length);
        stage.AssertNoFault();
    }

    [Fact]
    public void Of_clients_that_take_nothing_those_that_hold_most_go_until_it_is_enough()
    {
        using var stage = new Stage();
        var small = Deafen(stage, 1000);
        var large = Deafen(stage, 50_000);
        var medium = Deafen(stage, 30_000);
        Look(stage, 93, limit: 430_000); // 55 900 more than what is well: the largest and its sockets
        stage.Advance(3);
        Look(stage, 93, limit: 430_000);

        Assert.Equal(
            [PeerEnd.None, PeerEnd.Reset, PeerEnd.None], new[] { small, large, medium }.Select(client => client.Peer.End));
        stage.Advance(0.5);
        Look(stage, 93, limit: 430_000); // the last step has not shown its effect yet
        Assert.Equal(PeerEnd.None, medium.Peer.End);
    }

    [Fact]
    public void Strangers_go_first_then_those_who_show_nothing_and_clients_stay()
    {
        using var stage = new Stage(change: Stage.WithCover());
        var strangers = Enumerable.Range(0, 3).Select(_ => Visit(stage)).ToList();
        var old = stage.CallRaw();
        stage.Advance(2);
        var (client, dc) = stage.Relay();
        strangers[0].Send([1]);
        stage.Run();

        Look(stage, 93, limit: 100_000); // two strangers' worth
        Assert.Equal([PeerEnd.None, PeerEnd.Fin, PeerEnd.Fin], strangers.Select(peer => peer.End));
        stage.Advance(1);
        Look(stage, 93, limit: 1_000_000);

        Assert.Equal(PeerEnd.Fin, strangers[0].End);
        Assert.Equal(PeerEnd.Fin, old.End);
        Assert.Equal(PeerEnd.None, client.Peer.End);
        Assert.Equal(3, stage.Metrics.Sum("portico.memory.shed", "standing", "stranger"));
        client.Say("still here"u8);
        stage.Run();
        Assert.Equal("still here"u8.ToArray(), dc.Text);
        foreach (var peer in strangers) peer.Finish();
        stage.Run();
        Assert.All(stage.Metrics.Closed, closed => Assert.Equal("memory_pressure (proxy)", closed));
        stage.AssertNoFault();
    }

    [Fact]
    public void A_caller_that_came_just_now_is_not_taken_for_idle()
    {
        using var stage = new Stage();
        var old = stage.CallRaw();
        stage.Advance(2);
        var young = stage.Call();
        stage.Run();
        Look(stage, 93);

        Assert.Equal(PeerEnd.Fin, old.End);
        Assert.Equal(["memory_pressure (proxy)"], stage.Metrics.Closed);
        young.Peer.Send(young.Hello);
        stage.Run();
        Assert.True(young.HasFlight);
    }

    [Fact]
    public void Who_is_between_the_flight_and_its_header_stays()
    {
        using var stage = new Stage();
        var client = stage.Call();
        client.Peer.Send(client.Hello);
        stage.Run();
        Assert.True(client.HasFlight);
        stage.Advance(5);
        Look(stage, 93);
        stage.AssertOpen();
    }

    [Fact]
    public void With_next_to_no_memory_left_a_client_sees_the_cover()
    {
        using var stage = new Stage(change: Stage.WithCover());
        Look(stage, 96);
        var client = stage.Call();
        client.Peer.Send(client.Hello);
        stage.Run();

        Assert.Equal(client.Hello, Assert.Single(stage.Covers).Take());
        Look(stage, 50);
        Assert.NotNull(stage.Relay().Client);
    }

    [Fact]
    public void Without_a_cover_it_sees_what_a_wrong_secret_sees()
    {
        using var stage = new Stage();
        var wrong = stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        wrong.Peer.Send(wrong.Hello);
        stage.Run();
        Look(stage, 96);
        var right = stage.Call();
        right.Peer.Send(right.Hello.AsSpan(0, 100));
        stage.Run();
        Assert.Equal(PeerEnd.None, right.Peer.End); // as that of anybody who has not said all
        right.Peer.Send(right.Hello.AsSpan(100));
        stage.Run();

        Assert.Equal((wrong.Peer.End, wrong.Peer.CollectedLength), (right.Peer.End, right.Peer.CollectedLength));
        Assert.Equal((PeerEnd.Fin, 0), (right.Peer.End, right.Peer.CollectedLength));
        wrong.Peer.Finish();
        right.Peer.Finish();
        stage.Run();
        stage.AssertClosed("tls_invalid_digest (client)", "memory (proxy)");
    }

    [Fact]
    public void Relaying_goes_on_when_memory_is_full()
    {
        using var stage = new Stage();
        var (client, dc) = stage.Relay();
        Look(stage, 99);
        dc.Say(new byte[Text]);
        client.Say("up"u8);
        stage.Advance(2);
        Assert.Equal(Text, client.Text.Length);
        Assert.Equal("up"u8.ToArray(), dc.Text);
    }

    [Fact]
    public void In_middle_mode_a_client_that_takes_nothing_is_let_go_and_the_others_of_its_link_are_not()
    {
        using var stage = new MiddleStage();
        var (deaf, link, id) = stage.Rest();
        var (good, _, other) = stage.Rest();
        deaf.Peer.IsUnreachable = true;
        link.Answer(id, new byte[100_000]);
        stage.Run();
        for (var seconds = 0; seconds < 7; seconds++)
        {
            Look(stage.Stage, 93);
            stage.Advance(1);
        }

        Assert.Equal(["memory_pressure (proxy)"], stage.Metrics.Closed);
        Assert.Equal(PeerEnd.Reset, deaf.Peer.End);
        link.Answer(other, new byte[8]);
        stage.Run();
        Assert.Equal(2, good.Packets.Count);
        stage.AssertNothingHeld();
    }

    [Fact]
    public void Figures_and_level_are_gauges()
    {
        using var stage = new Stage();
        Look(stage, 93, limit: 1000);
        Assert.Equal(930, stage.Metrics.Observe("portico.memory.bytes"));
        Assert.Equal(1000, stage.Metrics.Observe("portico.memory.limit.bytes"));
        Assert.Equal(2, stage.Metrics.Observe("portico.memory.level"));
        Look(stage, 10);
        Assert.Equal(0, stage.Metrics.Observe("portico.memory.level"));
    }

    [Fact]
    public void The_operator_hears_of_it_once_a_minute_and_when_it_is_over()
    {
        using var stage = new Stage();
        foreach (var percent in new[] { 86, 93, 50, 86, 50 })
        {
            Look(stage, percent);
            stage.Advance(5);
        }

        var lines = stage.Log.Lines.Where(line => line.Category.EndsWith("MemoryGovernor", StringComparison.Ordinal)).ToList();
        Assert.Equal(["MemoryShort", "MemoryEnough"], lines.Select(line => line.EventName));
        Assert.Equal([LogLevel.Warning, LogLevel.Information], lines.Select(line => line.Level));
        Assert.Contains("the test", lines[0].Text, StringComparison.Ordinal);
        stage.Advance(60);
        Look(stage, 96);
        Assert.Equal(3, stage.Log.Lines.Count(line => line.Category.EndsWith("MemoryGovernor", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_loops_left_to_the_collector_is_collected_before_anybody_goes_for_it()
    {
        using var stage = new Stage();
        var old = stage.CallRaw();
        stage.Advance(2);
        var collected = 0;
        using var governor = new MemoryGovernor(
            [stage.Loop], () => new MemoryFigures(collected > 0 ? 50 : 93, 100, "the test"), new SessionCount(),
            stage.Proxy.Services.Metrics, NullLogger.Instance, () => collected++);
        var buffers = Enumerable.Range(0, 5).Select(_ => stage.Loop.Buffers.Rent(BufferPool.LargestSize)).ToList();
        foreach (var buffer in buffers) stage.Loop.Buffers.Return(buffer);
        governor.Look(0);
        stage.Run();

        Assert.Equal((1, MemoryLevel.Normal), (collected, governor.Level));
        Assert.Equal(PeerEnd.None, old.End);
        governor.Look(2000);
        Assert.Equal(1, collected); // nothing new was left
    }

    [Fact]
    public void A_figure_that_cannot_be_had_changes_nothing()
    {
        using var stage = new Stage();
        var (client, dc) = stage.Relay();
        stage.Proxy.Services.Memory.Source = () => default;
        stage.Proxy.Services.Memory.Look(stage.Loop.NowMs);
        dc.Say(new byte[Text]);
        stage.Run();
        Assert.Equal(Text, client.Text.Length);
        Assert.Equal(MemoryLevel.Normal, stage.Proxy.Services.Memory.Level);
    }

    [Fact]
    public void Figures_that_are_lost_while_memory_is_short_are_no_relief_for_five_seconds()
    {
        using var stage = new Stage();
        var governor = stage.Proxy.Services.Memory;
        governor.Source = () => new MemoryFigures(96, 100, "");
        governor.Look(1000);
        governor.Source = () => default;
        governor.Look(5900);
        Assert.Equal(MemoryLevel.Full, governor.Level);
        governor.Look(6000);
        Assert.Equal(MemoryLevel.Normal, governor.Level);
    }

    // A client for which so many bytes are on their way and never arrive.
    private static StageClient Deafen(Stage stage, int bytes)
    {
        var (client, dc) = stage.Relay();
        client.Peer.IsUnreachable = true;
        dc.Say(new byte[bytes]);
        stage.Run();
        return client;
    }

    private static MemoryPeer Visit(Stage stage)
    {
        var peer = stage.CallRaw();
        peer.Send([0x20]);
        stage.Run();
        return peer;
    }

    private static void Look(Stage stage, int percent, long limit = Limit)
    {
        stage.Proxy.Services.Memory.Source = () => new MemoryFigures(limit * percent / 100, limit, "the test");
        stage.Proxy.Services.Memory.Look(stage.Loop.NowMs);
        stage.Run();
    }
}
