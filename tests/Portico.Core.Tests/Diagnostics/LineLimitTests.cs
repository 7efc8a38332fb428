using Portico.Core.Diagnostics;
using Xunit;

namespace Portico.Core.Tests.Diagnostics;

public class LineLimitTests
{
    [Fact]
    public void A_line_a_second_passes_and_tells_how_many_did_not()
    {
        var limit = new LineLimit();
        Assert.True(limit.TryPass(50, out var leftOut));
        Assert.Equal(0, leftOut);
        for (var ms = 51; ms < 1050; ms++) Assert.False(limit.TryPass(ms, out _));
        Assert.True(limit.TryPass(1050, out leftOut));
        Assert.Equal(999, leftOut);
        Assert.True(limit.TryPass(5000, out leftOut));
        Assert.Equal(0, leftOut);
    }

    [Fact]
    public void The_rest_can_be_told_without_a_line()
    {
        var limit = new LineLimit(LineLimit.MinuteMs);
        Assert.True(limit.TryPass(0, out _));
        Assert.False(limit.TryPass(59_999, out _));
        Assert.Equal(1, limit.TakeLeftOut());
        Assert.Equal(0, limit.TakeLeftOut());
    }

    [Fact]
    public void Of_many_threads_at_one_time_one_passes_and_all_others_are_counted()
    {
        var limit = new LineLimit();
        var passed = 0;
        Parallel.For(0, 10_000, _ =>
        {
            if (limit.TryPass(7, out var leftOut)) Interlocked.Increment(ref passed);
            Assert.InRange(leftOut, 0, 9_999);
        });
        Assert.Equal(1, passed);
        Assert.InRange(limit.TakeLeftOut(), 1, 9_999);
    }
}
