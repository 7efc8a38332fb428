using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Diagnostics;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Links are tried again and again: what is wrong with them is told a few times only.</summary>
public sealed class MiddleProxyHealthTests : IDisposable
{
    private readonly LogProbe _log = new();
    private readonly ManualTime _time = new();
    private readonly MiddleProxyHealth _health;

    public MiddleProxyHealthTests()
    {
        var logger = LimitedLoggerFactory.Around(_log.Factory, _time).CreateLogger<MiddleProxyHealth>();
        _health = new MiddleProxyHealth(new Shortages(logger), logger);
    }

    public void Dispose() => _log.Dispose();

    [Theory]
    [InlineData("ClockDiffers", 3)]
    [InlineData("HandshakeRefused", 3)]
    [InlineData("LinkFaulted", 121)]
    [InlineData("PoolFaulted", 121)]
    public void What_happens_ten_times_a_second_for_two_minutes_is_this_many_lines(string eventName, int lines)
    {
        for (var ms = 0L; ms <= 120_000; ms += 100)
        {
            _health.ClockDiffers(2, 40, ms);
            _health.Refused(2, -3, ms);
            _health.LinkFaulted(new TimeZoneNotFoundException(), 2);
            _health.PoolFaulted(new TimeZoneNotFoundException());
            _time.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(lines, _log.Lines.Count(line => line.EventName == eventName));
    }

    [Fact]
    public void Links_that_are_hung_up_on_are_a_warning_a_minute_until_one_works_and_each_looks_our_address_up_anew()
    {
        var lookUps = 0;
        _health.LookUp = () => lookUps++;
        for (var ms = 0L; ms < 120_000; ms += 1000)
        {
            _health.HungUp(IPAddress.Loopback, ms);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(2, _log.Lines.Count(line => line.EventName == "LinksRefused"));
        Assert.Equal(117, lookUps);
        _health.Worked(2);
        for (var i = 0; i < 3; i++) _health.HungUp(IPAddress.Loopback, 300_000);
        Assert.Equal(117, lookUps);
    }
}
