using Portico.Core.Net;
using Portico.Core.Sessions;
using Xunit;

namespace Portico.Core.Tests.Sessions;

/// <summary>Which level follows from which figures.</summary>
public sealed class MemoryLevelsTests
{
    [Theory]
    [InlineData(0, MemoryLevel.Normal)]
    [InlineData(84.9, MemoryLevel.Normal)]
    [InlineData(85, MemoryLevel.Pressure)]
    [InlineData(91.9, MemoryLevel.Pressure)]
    [InlineData(92, MemoryLevel.Shedding)]
    [InlineData(95, MemoryLevel.Full)]
    [InlineData(400, MemoryLevel.Full)]
    internal void A_level_is_entered_at_its_mark(double percent, MemoryLevel level) =>
        Assert.Equal(level, MemoryLevels.Next(MemoryLevel.Normal, percent));

    [Theory]
    [InlineData(MemoryLevel.Pressure, 82, MemoryLevel.Pressure)]
    [InlineData(MemoryLevel.Pressure, 81.9, MemoryLevel.Normal)]
    [InlineData(MemoryLevel.Shedding, 89, MemoryLevel.Shedding)]
    [InlineData(MemoryLevel.Shedding, 88.9, MemoryLevel.Pressure)]
    [InlineData(MemoryLevel.Full, 92, MemoryLevel.Full)]
    [InlineData(MemoryLevel.Full, 91.9, MemoryLevel.Shedding)]
    [InlineData(MemoryLevel.Full, 83, MemoryLevel.Pressure)]
    [InlineData(MemoryLevel.Full, 10, MemoryLevel.Normal)]
    internal void It_is_left_three_points_below_and_not_before(MemoryLevel before, double percent, MemoryLevel level) =>
        Assert.Equal(level, MemoryLevels.Next(before, percent));

    [Fact]
    public void No_figure_and_no_past_leads_outside()
    {
        var random = new Random(7);
        var level = MemoryLevel.Normal;
        for (var i = 0; i < 10_000; i++)
        {
            var percent = random.NextDouble() * 120;
            var next = MemoryLevels.Next(level, percent);
            Assert.InRange(next, MemoryLevel.Normal, MemoryLevel.Full);
            Assert.True(next >= MemoryLevels.Next(MemoryLevel.Normal, percent));
            Assert.True(next <= level || next == MemoryLevels.Next(MemoryLevel.Normal, percent));
            level = next;
        }

        Assert.Equal(MemoryLevel.Normal, MemoryLevels.Next(MemoryLevel.Normal, double.NaN));
    }
}
