using Portico.Core.Web;
using Xunit;

namespace Portico.Core.Tests.Web;

public sealed class WebRatesTests
{
    [Fact]
    public void Each_kind_has_a_burst_and_a_rate_of_its_own()
    {
        var rates = new WebRates(pages: new(60, 1), sessions: new(60, 2), streams: new(120, 3));

        Assert.Equal([1, 2, 3], Begun(rates, 1000));
        Assert.Equal([0, 0, 0], Begun(rates, 1100));
        Assert.Equal([1, 1, 2], Begun(rates, 2200));
        Assert.Equal([1, 2, 3], Begun(rates, 100_000));
    }

    [Fact]
    public void A_loop_that_looks_at_an_older_clock_gains_nothing()
    {
        var rates = new WebRates(pages: new(60, 1), sessions: new(60, 1), streams: new(60_000, 100));
        for (var i = 0; i < 100; i++) rates.MayOpenStream(1000);

        var begun = Enumerable.Range(0, 1000).Count(i => rates.MayOpenStream(i % 2 == 0 ? 990 : 1000));

        Assert.Equal(0, begun);
    }

    // Of ten.
    private static int[] Begun(WebRates rates, long nowMs) =>
    [
        Enumerable.Range(0, 10).Count(_ => rates.MayShowPage(nowMs)),
        Enumerable.Range(0, 10).Count(_ => rates.MayCreateSession(nowMs)),
        Enumerable.Range(0, 10).Count(_ => rates.MayOpenStream(nowMs)),
    ];
}
