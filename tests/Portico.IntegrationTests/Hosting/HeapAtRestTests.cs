using Portico.Hosting;
using Xunit;

namespace Portico.IntegrationTests.Hosting;

public sealed class HeapAtRestTests
{
    private const long Mega = 1024 * 1024;

    private HeapAtRest _rest;
    private long _allocated;

    [Fact]
    public void A_wave_is_cleared_up_after_when_it_is_over()
    {
        Assert.False(Look(0, 3 * Mega)); // in the middle of it
        Assert.True(_rest.IsWorthIt);
        Assert.False(Look(400, Mega));
        Assert.True(Look(800, 10_000));
    }

    [Fact]
    public void It_is_not_done_again_for_nothing()
    {
        Look(0, 3 * Mega);
        Assert.True(Look(400, 0));
        _rest.Collected(400, pauseMs: 0);
        for (var i = 0; i < 8; i++) Assert.False(Look(1000 + i, 100_000));
        Assert.False(_rest.IsWorthIt);
        Look(2000, 300_000);
        Assert.True(Look(2400, 0));
    }

    [Fact]
    public void A_large_heap_is_not_moved_for_a_few_new_clients()
    {
        Look(0, 90 * Mega, heap: 80 * Mega);
        Assert.True(Look(400, 0, heap: 80 * Mega));
        _rest.Collected(400, pauseMs: 0);
        Look(800, 19 * Mega, heap: 80 * Mega);
        Assert.False(Look(1200, 0, heap: 80 * Mega));
        Look(1600, 2 * Mega, heap: 80 * Mega);
        Assert.True(Look(2000, 0, heap: 80 * Mega));
    }

    [Fact]
    public void Half_a_hundredth_of_the_time_is_the_most_that_goes_into_it()
    {
        Look(0, 3 * Mega);
        Assert.True(Look(400, 0));
        _rest.Collected(400, pauseMs: 20);
        Look(1000, 50 * Mega);
        Assert.False(Look(4399, 0));
        Assert.True(Look(4400, 0));
    }

    private bool Look(long nowMs, long more, long heap = 2 * Mega)
    {
        _allocated += more;
        return _rest.IsDue(nowMs, _allocated, heap);
    }
}
