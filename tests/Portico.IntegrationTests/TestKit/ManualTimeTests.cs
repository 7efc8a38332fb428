using Portico.TestKit.Time;
using Xunit;

namespace Portico.IntegrationTests.TestKit;

public sealed class ManualTimeTests
{
    [Fact]
    public void Timers_fire_in_the_order_of_their_times_and_see_those_times()
    {
        var time = new ManualTime();
        var start = time.GetUtcNow();
        var fired = new List<(string, TimeSpan)>();
        void Note(object? name) => fired.Add(((string)name!, time.GetUtcNow() - start));
        using var late = time.CreateTimer(Note, "late", TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        using var every = time.CreateTimer(Note, "every", TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using var dropped = time.CreateTimer(Note, "dropped", TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        dropped.Dispose();

        time.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(
            [
                ("every", TimeSpan.FromSeconds(2)), ("every", TimeSpan.FromSeconds(4)),
                ("late", TimeSpan.FromSeconds(5)), ("every", TimeSpan.FromSeconds(6)),
            ],
            fired);
        Assert.Equal(TimeSpan.FromSeconds(6), time.GetUtcNow() - start);
    }

    [Fact]
    public async Task A_delay_ends_when_the_clock_is_moved_and_not_before()
    {
        var time = new ManualTime();
        var delay = Task.Delay(TimeSpan.FromMinutes(1), time);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(delay.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        await delay;
    }
}
