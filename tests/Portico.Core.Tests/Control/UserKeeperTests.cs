using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Control;
using Portico.Core.Diagnostics;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.Core.Tests.Control;

public sealed class UserKeeperTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly MemoryUserStore _store = new();
    private readonly UsageLedger _ledger = new();
    private readonly ManualTime _time = new();
    private readonly MetricProbe _metrics = new();
    private readonly UserRecord _user;
    private readonly UserKeeper _keeper;
    private int _looks;

    public UserKeeperTests()
    {
        _ledger.WhenSomeoneMustGo(() => Interlocked.Increment(ref _looks));
        _user = new UserRecord(_ledger.Managed, "alice");
        _keeper = new UserKeeper(
            _store, _ledger, () => [_user], TimeZoneInfo.Utc, new ProxyMetrics(_metrics, new MetricSources()), NullLogger.Instance, _time);
        _keeper.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _keeper.ReleaseAsync();
        _keeper.Dispose();
    }

    [Fact]
    public async Task A_user_is_looked_for_when_its_time_is_over()
    {
        Apply(new UserTerms { ExpiresAt = _time.GetUtcNow() + TimeSpan.FromHours(1) });
        _user.TryHold();
        _time.Advance(TimeSpan.FromMinutes(59));
        await _keeper.FlushAsync();
        Assert.Equal(0, Volatile.Read(ref _looks));
        _time.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(() => Volatile.Read(ref _looks) > 0);
    }

    [Fact]
    public async Task A_period_begins_with_its_day_and_that_is_kept()
    {
        Apply(new UserTerms { Quota = new UserQuota(1000, QuotaPeriod.Day) });
        _user.MeterOn(0).CountSent(900, nowMs: 0);
        _time.Advance(TimeSpan.FromDays(1));
        await UntilAsync(() => _user.Used == 0);
        await _keeper.FlushAsync();
        var row = _store.Usage[_user.Key];
        Assert.Equal((900, 900, DateOnly.FromDateTime(_time.GetUtcNow().DateTime).DayNumber), (row.Sent, row.PeriodBase, row.PeriodDay));
    }

    [Fact]
    public async Task Counters_are_kept_every_ten_seconds_and_while_nothing_moves_nothing_is_written()
    {
        _user.MeterOn(0).CountReceived(10, nowMs: 0);
        _time.Advance(UserKeeper.FlushPeriod);
        await UntilAsync(() => _store.Flushes == 1);
        Assert.Equal(10, _store.Usage[_user.Key].Received);
        _time.Advance(UserKeeper.FlushPeriod);
        await _keeper.FlushAsync();
        await _keeper.FlushAsync();
        Assert.Equal(1, _store.Flushes);
    }

    [Fact]
    public async Task Nothing_is_lost_by_a_store_that_fails_for_a_while()
    {
        _store.Failure = "the disk is full";
        for (var i = 0; i < 5; i++)
        {
            _user.MeterOn(i).CountReceived(10, nowMs: 0);
            await _keeper.FlushAsync();
        }

        Assert.Equal("the disk is full", _keeper.Problem);
        _store.Failure = null;
        await _keeper.FlushAsync();
        Assert.Equal((50, 50), (_store.Usage[_user.Key].Received, _store.Usage[UsageKey.Everybody].Received));
        Assert.Null(_keeper.Problem);
    }

    [Fact]
    public async Task A_process_that_has_handed_over_gives_its_successor_what_it_counted_since()
    {
        _user.MeterOn(0).CountReceived(10, nowMs: 0);
        Assert.Null(await _keeper.HandOverAsync());
        Assert.Equal(1, _store.CleanEnds);
        var (ledger, next) = (new UsageLedger(), (UserRecord?)null);
        var successor = new UserKeeper(
            _store, ledger, () => [next!], TimeZoneInfo.Utc, new ProxyMetrics(_metrics, new MetricSources()), NullLogger.Instance, _time);
        next = new UserRecord(ledger.Managed, _user.Name);
        successor.Start();
        Assert.Equal(10, next.Received);

        _user.MeterOn(0).CountReceived(5, nowMs: 0);
        await _keeper.ReleaseAsync();
        next.MeterOn(0).CountReceived(7, nowMs: 0);
        await successor.FlushAsync();

        Assert.Equal(22, next.Received);
        Assert.Equal((22, 22), (_store.Usage[_user.Key].Received, _store.Usage[UsageKey.Everybody].Received));
        await successor.ReleaseAsync();
        successor.Dispose();
    }

    [Fact]
    public async Task Where_nobody_took_over_it_goes_on_keeping()
    {
        await _keeper.HandOverAsync();
        _user.MeterOn(0).CountReceived(5, nowMs: 0);
        await _keeper.FlushAsync();
        Assert.Equal(0, _store.Flushes);
        await _keeper.TakeBackAsync();
        await _keeper.FlushAsync();
        Assert.Equal(5, _store.Usage[_user.Key].Received);
    }

    private void Apply(UserTerms terms)
    {
        _user.Apply(terms, _keeper.Today);
        _keeper.Changed(TimeZoneInfo.Utc);
        _keeper.FlushAsync().GetAwaiter().GetResult(); // it has looked since
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        for (var waited = TimeSpan.Zero; !isSo(); waited += TimeSpan.FromMilliseconds(20))
        {
            Assert.True(waited < Patience, "it did not come about");
            await Task.Delay(20);
        }
    }
}
