using Portico.Core.Users;
using Xunit;

namespace Portico.Core.Tests.Users;

public sealed class RateGateTests
{
    [Theory]
    [InlineData(1_000_000, 1, 65536)]
    [InlineData(1_000_000, 8, 16384)]
    [InlineData(20_000, 3, 65536)]
    [InlineData(100_000_000, 8, 65536)]
    public void Whoever_reads_while_it_is_open_moves_the_rate_on_average(long rate, int sessions, int read)
    {
        var gate = default(RateGate);
        gate.Apply(rate);
        var (moved, seconds) = (0L, 60);
        for (var ms = 0L; ms < seconds * 1000; ms += 50)
        {
            for (var turn = 0; gate.IsOpen(ms) && turn < 1000; turn++)
            {
                for (var session = 0; session < sessions && gate.IsOpen(ms); session++)
                {
                    gate.Pass(Math.Min(read, gate.AtOnce), ms);
                    moved += Math.Min(read, gate.AtOnce);
                }
            }
        }

        Assert.InRange(moved, 0.95 * rate * seconds, (1.02 * rate * seconds) + 65536);
    }

    [Fact]
    public void After_a_pause_a_tenth_of_a_second_is_caught_up_on_and_no_more()
    {
        var gate = default(RateGate);
        gate.Apply(1_000_000);
        gate.Pass(1, 0);
        var moved = 0;
        for (; gate.IsOpen(60_000); moved += 1000) gate.Pass(1000, 60_000);
        Assert.InRange(moved, 100_000, 102_000);
    }

    [Fact]
    public void Without_a_rate_it_is_always_open_and_another_rate_counts_at_once()
    {
        var gate = default(RateGate);
        gate.Pass(int.MaxValue, 0);
        Assert.True(gate.IsOpen(0));
        Assert.Equal(int.MaxValue, gate.AtOnce);
        gate.Apply(1024);
        gate.Pass(1_000_000, 1000);
        Assert.False(gate.IsOpen(60_000));
        gate.Apply(2048);
        Assert.True(gate.IsOpen(1000));
        gate.Pass(1_000_000, 1000);
        gate.Apply(null);
        Assert.True(gate.IsOpen(1000));
    }

    [Fact]
    public void Loops_that_move_at_the_same_time_lose_nothing()
    {
        var gate = new StrongBox();
        gate.Value.Apply(1_000_000);
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < 1000; i++) gate.Value.Pass(1000, 60_000);
        });
        Assert.False(gate.Value.IsOpen(67_890));
        Assert.True(gate.Value.IsOpen(67_900)); // 8 MB at 1 MB/s, less what may be caught up on
    }

    private sealed class StrongBox
    {
        public RateGate Value;
    }
}
