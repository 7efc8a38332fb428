using Portico.Core.Diagnostics;
using Xunit;

namespace Portico.Core.Tests.Diagnostics;

public class OutageTests
{
    private readonly Outage _outage = new();

    [Fact]
    public void It_is_told_at_once_then_once_a_minute_with_a_count_and_once_when_it_is_over()
    {
        Assert.True(_outage.Failed(1000, out var failures));
        Assert.Equal(1, failures);
        for (var i = 0; i < 100; i++) Assert.False(_outage.Failed(1000 + (i * 500), out _));
        Assert.True(_outage.Failed(61_000, out failures));
        Assert.Equal(102, failures);
        Assert.True(_outage.Worked(out failures));
        Assert.Equal(102, failures);
        Assert.False(_outage.Worked(out _));
    }

    [Fact]
    public void What_never_failed_is_not_told_to_work() => Assert.False(_outage.Worked(out _));

    [Fact]
    public void What_comes_and_goes_is_told_once_a_minute()
    {
        var (down, up) = (0, 0);
        for (var ms = 0; ms < 180_000; ms += 10)
        {
            if (_outage.Failed(ms, out _)) down++;
            if (_outage.Worked(out _)) up++;
        }

        Assert.Equal((3, 3), (down, up));
    }
}
