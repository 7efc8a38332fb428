using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.TestKit.Diagnostics;
using Xunit;

namespace Portico.Core.Tests.Diagnostics;

public sealed class EventFeedTests
{
    private readonly EventFeed _feed = new(TimeProvider.System);

    [Fact]
    public void A_reader_that_is_slow_loses_the_newest_and_is_told_how_many()
    {
        Assert.True(_feed.TryRead(out var slow));
        for (var i = 0; i < EventReader.MostWaiting + 5; i++) Publish($"{i}");

        Assert.True(slow.TryTake(out var first));
        Assert.Equal("0", first.Text);
        Assert.Equal(5, slow.TakeLost());
        Assert.Equal(0, slow.TakeLost());
        var count = 1;
        while (slow.TryTake(out _)) count++;
        Assert.Equal(EventReader.MostWaiting, count);
    }

    [Fact]
    public void One_reader_loses_nothing_because_another_is_slow()
    {
        Assert.True(_feed.TryRead(out _));
        Assert.True(_feed.TryRead(out var quick));
        for (var i = 0; i < 2 * EventReader.MostWaiting; i++)
        {
            Publish($"{i}");
            Assert.True(quick.TryTake(out var happened));
            Assert.Equal($"{i}", happened.Text);
        }

        Assert.Equal(0, quick.TakeLost());
    }

    [Fact]
    public void Nobody_makes_events_before_there_is_a_reader_and_after_the_last_has_left()
    {
        Assert.False(_feed.HasReaders);
        Assert.True(_feed.TryRead(out var one));
        Assert.True(_feed.TryRead(out var other));
        one.Dispose();
        Assert.True(_feed.HasReaders);
        other.Dispose();
        Assert.False(_feed.HasReaders);
    }

    [Fact]
    public void Lines_above_debug_are_events_even_where_they_are_not_written()
    {
        using var log = new LogProbe();
        using var quiet = LoggerFactory.Create(logging => logging.AddProvider(log).SetMinimumLevel(LogLevel.Critical));
        using var watched = new WatchedLoggers(quiet, _feed);
        var logger = watched.CreateLogger("test");
        Assert.False(logger.IsEnabled(LogLevel.Warning));

        Assert.True(_feed.TryRead(out var reader));
        Assert.True(logger.IsEnabled(LogLevel.Warning));
        Assert.False(logger.IsEnabled(LogLevel.Debug));
        logger.Log(LogLevel.Warning, new EventId(1, "Burning"), "all of it", null, (text, _) => text);
        logger.Log(LogLevel.Debug, new EventId(2, "Detail"), "a client", null, (text, _) => text);

        Assert.True(reader.TryTake(out var alarm));
        Assert.Equal((ProxyEvent.Alarm, "Burning", "warning", "all of it"), (alarm.Type, alarm.Name, alarm.Level, alarm.Text));
        Assert.False(reader.TryTake(out _));
        Assert.Empty(log.Lines);
    }

    private void Publish(string text) => _feed.Publish(new ProxyEvent { Type = ProxyEvent.Notice, At = default, Text = text });
}
