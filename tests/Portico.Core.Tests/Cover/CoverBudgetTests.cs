using Portico.Core.Cover;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Cover;

/// <summary>How many strangers may be at the cover, and who goes when there are more.</summary>
public sealed class CoverBudgetTests
{
    [Theory]
    [InlineData(4096, 0, 64000, 4096)] // no limit of descriptors
    [InlineData(4096, 500_000, 64000, 4096)]
    [InlineData(4096, 32_512, 64000, 4064)] // an eighth of what there is
    [InlineData(4096, 384, 64000, 48)]
    [InlineData(4096, 384, 100, 284)] // what the clients cannot take
    [InlineData(10, 384, 100, 10)]
    [InlineData(4096, 4, 64000, 1)]
    public void Strangers_get_what_clients_leave_and_at_least_an_eighth(int wanted, long sessions, long authenticated, int most) =>
        Assert.Equal(most, CoverBudget.MostFor(wanted, sessions, authenticated));

    [Fact]
    public void The_stranger_that_was_silent_longest_goes_in_order_when_another_comes()
    {
        using var stage = new Stage(change: Stage.WithCover(cover => cover with { MaxConnections = 3 }));
        var peers = Enumerable.Range(0, 3).Select(_ => Visit(stage)).ToList();
        var covers = stage.Covers.ToList();
        peers[0].Send([1]);
        covers[1].Send([2]);
        stage.Run();
        var undecided = stage.CallRaw();
        undecided.Send([0x16]);
        stage.Advance(1);

        Assert.Equal([PeerEnd.None, PeerEnd.None, PeerEnd.Fin], peers.Select(peer => peer.End));
        Assert.True(covers[2].IsReleased);
        peers[2].Send(new byte[1000]); // read away, or the system would answer with a reset
        stage.Run();
        Assert.Equal(PeerEnd.Fin, peers[2].End);
        peers[2].Finish();
        stage.Run();
        Assert.Equal(["cover_limit (operator)"], stage.Metrics.Closed);
        Assert.Equal(3, stage.Proxy.Cover.Budget.Count);
        Assert.Equal(3, stage.Metrics.Observe("portico.cover.limit"));

        // Now those two that spoke, then the one nobody can tell yet.
        for (var i = 0; i < 3; i++) Visit(stage);
        Assert.Equal([PeerEnd.Fin, PeerEnd.Fin], peers[..2].Select(peer => peer.End));
        Assert.Equal(PeerEnd.Fin, undecided.End);
        stage.Advance(6);
        Assert.Equal(Enumerable.Repeat("cover_limit (operator)", 4), stage.Metrics.Closed);
        stage.AssertNoFault();
        stage.Stop();
        stage.AssertNothingLeft();
    }

    [Fact]
    public void A_stranger_that_had_finished_and_goes_leaves_at_once()
    {
        using var stage = new Stage(change: Stage.WithCover(cover => cover with { MaxConnections = 1 }));
        var peer = Visit(stage);
        peer.Finish();
        stage.Run();
        Visit(stage);
        Assert.Equal(PeerEnd.Fin, peer.End);
        Assert.Equal(["cover_limit (operator)"], stage.Metrics.Closed);
    }

    [Fact]
    public void A_client_of_ours_is_never_in_the_way()
    {
        using var stage = new Stage(change: Stage.WithCover(cover => cover with { MaxConnections = 1 }));
        var (client, dc) = stage.Relay();
        for (var i = 0; i < 5; i++) Visit(stage);
        client.Say("still here"u8);
        stage.Run();
        Assert.Equal("still here"u8.ToArray(), dc.Text);
    }

    [Fact]
    public void A_loop_without_strangers_asks_the_others_to_let_one_go()
    {
        var budget = new CoverBudget(2);
        var asked = 0;
        CoverGuests[] loops = new CoverGuests[2];
        loops[0] = new CoverGuests(budget, () => asked++);
        loops[1] = new CoverGuests(budget, () => asked++);
        var (first, second, third) = (new Guest(), new Guest(), new Guest());
        loops[0].Enter(first);
        loops[0].Enter(second);
        var place = loops[1].Enter(third);
        Assert.Equal((1, 3), (asked, budget.Count));
        foreach (var loop in loops) loop.EvictIfExceeded(); // the order in which they get to it does not matter
        Assert.Equal((true, false, false), (first.IsEvicted, second.IsEvicted, third.IsEvicted));
        Assert.Equal(2, budget.Count);
        place.Leave();
        place.Leave();
        Assert.Equal(1, budget.Count);
    }

    [Fact]
    public void While_another_loop_lets_somebody_go_the_newcomer_keeps_its_place()
    {
        using var stage = new Stage(change: Stage.WithCover(cover => cover with { MaxConnections = 1 }));
        var elsewhere = new CoverGuests(stage.Proxy.Services.Cover.Budget, () => { });
        var other = new Guest();
        elsewhere.Enter(other);
        var peer = Visit(stage); // the stage's loop gets to it before the other one
        Assert.Equal(PeerEnd.None, peer.End);
        Assert.Equal([0x20], stage.Covers.Single().Take());
        elsewhere.EvictIfExceeded();
        Assert.True(other.IsEvicted);
    }

    [Fact]
    public void A_guest_whose_way_out_throws_hears_of_it_and_nobody_else_does()
    {
        var budget = new CoverBudget(1);
        var guests = new CoverGuests(budget, () => { });
        var (broken, newcomer) = (new Guest { Throws = new TimeZoneNotFoundException() }, new Guest());
        guests.Enter(broken);
        guests.Enter(newcomer);
        Assert.Same(broken.Throws, broken.Fault);
        Assert.Equal((1, false), (budget.Count, newcomer.IsEvicted));
        budget.Enter();
        guests.EvictIfExceeded();
        Assert.True(newcomer.IsEvicted);
    }

    private static MemoryPeer Visit(Stage stage)
    {
        var peer = stage.CallRaw();
        peer.Send([0x20]);
        stage.Run();
        return peer;
    }

    private sealed class Guest : ICoverGuest
    {
        public bool IsEvicted { get; private set; }

        public Exception? Throws { get; init; }

        public Exception? Fault { get; private set; }

        public void Evict()
        {
            if (Throws is not null) throw Throws;
            IsEvicted = true;
        }

        public void OnFault(Exception error) => Fault = error;
    }
}
