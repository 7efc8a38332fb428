using Portico.Core.Background;
using Xunit;

namespace Portico.Core.Tests.Background;

public class RefreshScheduleTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1), Now = TimeSpan.FromMinutes(7);

    [Fact]
    public void After_a_success_it_is_about_the_refresh()
    {
        var schedule = new RefreshSchedule(Hour);
        Assert.Equal(TimeSpan.Zero, schedule.Due);
        Assert.False(schedule.Succeeded(Now));
        Assert.InRange(schedule.Due - Now, Hour * 0.9, Hour * 1.1);
    }

    [Fact]
    public void After_failures_it_is_5_seconds_then_twice_as_long_each_time_up_to_the_refresh()
    {
        var schedule = new RefreshSchedule(Hour);
        for (var failures = 0; failures < 100; failures++)
        {
            Assert.Equal(failures == 0, schedule.Failed(Now));
            var longest = Math.Min(5 * Math.Pow(2, failures), 3600);
            Assert.InRange((schedule.Due - Now).TotalSeconds, longest / 2, longest);
        }

        Assert.True(schedule.Succeeded(Now));
        Assert.True(schedule.Failed(Now));
        Assert.InRange((schedule.Due - Now).TotalSeconds, 2.5, 5);
    }

    [Fact]
    public void Proxies_that_start_together_part() =>
        Assert.NotEqual(1, Enumerable.Range(0, 20)
            .Select(_ => { var one = new RefreshSchedule(Hour); one.Succeeded(Now); return one.Due; }).Distinct().Count());
}
