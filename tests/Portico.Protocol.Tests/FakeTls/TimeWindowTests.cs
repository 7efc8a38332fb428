using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class TimeWindowTests
{
    private const long Now = 1_760_000_000;

    [Theory]
    [InlineData(Now - 600, true)]
    [InlineData(Now - 601, false)]
    [InlineData(Now + 120, true)]
    [InlineData(Now + 121, false)]
    [InlineData(uint.MaxValue, false)]
    [InlineData(0, false)]
    public void The_default_is_ten_minutes_back_and_two_ahead(long timestamp, bool accepted) =>
        Assert.Equal(accepted, TimeWindow.Default.Accepts((uint)timestamp, Now));

    [Theory]
    [InlineData(0, true)]
    [InlineData(86_399_999, true)]
    [InlineData(86_400_000, false)]
    public void An_unset_clock_is_accepted_only_on_request(long timestamp, bool isUnset)
    {
        Assert.Equal(isUnset, TimeWindow.IsUnsetClock((uint)timestamp));
        Assert.Equal(isUnset, (TimeWindow.Default with { AcceptUnsetClock = true }).Accepts((uint)timestamp, Now));
        Assert.False(TimeWindow.Default.Accepts((uint)timestamp, Now));
    }

    [Fact]
    public void With_the_check_off_every_time_is_accepted()
    {
        Assert.True(default(TimeWindow).Accepts(0, Now));
        Assert.True(default(TimeWindow).Accepts(uint.MaxValue, Now));
    }
}
