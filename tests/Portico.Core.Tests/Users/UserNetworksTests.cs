using Portico.Core.Net;
using Portico.Core.Users;
using Xunit;

namespace Portico.Core.Tests.Users;

public sealed class UserNetworksTests
{
    private readonly UserNetworks _networks = new();

    [Fact]
    public void A_third_network_comes_in_when_the_first_has_been_silent_for_half_a_minute()
    {
        var home = Enter(1, nowMs: 0)!;
        var train = Enter(2, nowMs: 1000)!;
        Assert.Null(_networks.Enter(Network(3), 2, 29_999, out var mustGo));
        Assert.False(mustGo);

        var office = _networks.Enter(Network(3), 2, 30_000, out mustGo);

        Assert.NotNull(office);
        Assert.True(mustGo);
        Assert.True(home.IsGone);
        Assert.False(train.IsGone);
        Assert.Equal(2, _networks.Count);
        home.Leave();
        Assert.Equal(2, _networks.Count); // its place was another's already
    }

    [Fact]
    public void A_network_that_moves_bytes_keeps_its_place()
    {
        var home = Enter(1, nowMs: 0)!;
        Enter(2, nowMs: 0);
        home.Touch(20_000);
        Enter(3, nowMs: 30_000);
        Assert.False(home.IsGone);
    }

    [Fact]
    public void Many_sessions_of_one_network_count_once_and_the_last_to_leave_gives_the_place_back()
    {
        var places = Enumerable.Range(0, 200).Select(_ => Enter(1, nowMs: 0)!).ToList();
        Assert.Equal(1, _networks.Count);
        foreach (var place in places) place.Leave();
        Assert.Equal(0, _networks.Count);
    }

    [Fact]
    public void A_network_that_had_to_go_comes_back_as_a_new_one()
    {
        var gone = Enter(1, nowMs: 0)!;
        Enter(2, nowMs: 1000);
        Enter(3, nowMs: 30_000);
        var back = _networks.Enter(Network(1), 2, 31_000, out _);
        Assert.NotNull(back);
        Assert.NotSame(gone, back);
        gone.Leave();
        Assert.Equal(2, _networks.Count);
    }

    [Fact]
    public void Where_fewer_are_allowed_than_there_are_the_silent_ones_go()
    {
        for (byte network = 1; network <= 4; network++) _networks.Enter(Network(network), 4, network, out _);
        Assert.NotNull(_networks.Enter(Network(9), 2, 40_000, out _));
        Assert.Equal(2, _networks.Count);
    }

    private NetworkPlace? Enter(byte network, long nowMs) => _networks.Enter(Network(network), 2, nowMs, out _);

    private static ClientNetwork Network(byte last) => ClientNetwork.Of([203, 0, 113, last]);
}
