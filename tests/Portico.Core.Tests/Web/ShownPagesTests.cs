using Portico.Core.Users;
using Portico.Core.Web;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Web;

public sealed class ShownPagesTests
{
    private const int Most = 4, LifeMs = 120_000;

    private static readonly WebUser User =
        new(new Credential("alice", ProxySecret.Create("0123456789abcdef"u8)), true, default, WebRates.OfUser());

    private readonly ShownPages _pages = new(Most, LifeMs);

    [Fact]
    public void Of_those_that_were_not_used_the_oldest_goes()
    {
        for (var number = 1u; number <= Most + 2; number++) Show(number, nowMs: number);

        Assert.Equal([3u, 4u, 5u, 6u], Found(nowMs: 10, upTo: 6));
    }

    [Fact]
    public void One_that_was_used_takes_the_place_of_none_and_goes_by_age()
    {
        for (var number = 1u; number <= 3; number++) _pages.Use(Show(number, nowMs: 0), "token", number);
        for (var number = 4u; number <= 9; number++) Show(number, nowMs: 1000);

        Assert.Equal([1u, 2u, 3u, 6u, 7u, 8u, 9u], Found(nowMs: LifeMs - 1, upTo: 9));
        Assert.Equal([6u, 7u, 8u, 9u], Found(nowMs: LifeMs, upTo: 9));
        Assert.Equal([], Found(nowMs: LifeMs + 1000, upTo: 9));
    }

    [Fact]
    public void Those_that_have_gone_by_age_leave_their_places()
    {
        for (var number = 1u; number <= Most; number++) Show(number, nowMs: 0);
        for (var number = 5u; number <= 8; number++) Show(number, LifeMs);

        Assert.Equal([5u, 6u, 7u, 8u], Found(LifeMs, upTo: 8));
    }

    private ShownPage Show(uint number, long nowMs)
    {
        var page = new ShownPage(User, nowMs);
        _pages.Add(number, page, nowMs);
        return page;
    }

    private IEnumerable<uint> Found(long nowMs, uint upTo)
    {
        for (var number = 1u; number <= upTo; number++)
        {
            if (_pages.TryFind(number, nowMs, out _)) yield return number;
        }
    }
}
