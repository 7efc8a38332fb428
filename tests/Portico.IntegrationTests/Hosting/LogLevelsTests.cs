using Microsoft.Extensions.Logging;
using Portico.Hosting;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.IntegrationTests.Hosting;

/// <summary>What is logged for a time, and afterwards as before.</summary>
public sealed class LogLevelsTests : IDisposable
{
    private const string Cover = "Portico.Core.Cover.CoverRelay", Clients = "Portico.Core.Clients.ClientSession";

    private readonly ManualTime _time = new();
    private readonly LogLevels _levels;
    private readonly LoggerFactory _loggers;

    public LogLevelsTests()
    {
        _levels = new LogLevels(LogLevel.Information, _time);
        _loggers = new LoggerFactory([new EverythingProvider()], _levels);
    }

    public void Dispose()
    {
        _loggers.Dispose();
        _levels.Dispose();
    }

    [Fact]
    public void A_folder_is_logged_in_detail_and_falls_back_by_itself()
    {
        var (cover, clients) = (_loggers.CreateLogger(Cover), _loggers.CreateLogger(Clients));

        Assert.Equal(LogLevel.Information, _levels.Set("cover", LogLevel.Debug, TimeSpan.FromSeconds(30)));
        Assert.True(cover.IsEnabled(LogLevel.Debug));
        Assert.False(clients.IsEnabled(LogLevel.Debug));

        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.True(cover.IsEnabled(LogLevel.Debug));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(cover.IsEnabled(LogLevel.Debug));
        Assert.True(cover.IsEnabled(LogLevel.Information));
    }

    [Fact]
    public void A_second_change_begins_anew_and_the_first_ones_time_ends_nothing()
    {
        var cover = _loggers.CreateLogger(Cover);
        _levels.Set("cover", LogLevel.Debug, TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(LogLevel.Debug, _levels.Set("cover", LogLevel.Trace, TimeSpan.FromSeconds(30)));

        _time.Advance(TimeSpan.FromSeconds(15));
        Assert.True(cover.IsEnabled(LogLevel.Trace));
        _time.Advance(TimeSpan.FromSeconds(16));
        Assert.False(cover.IsEnabled(LogLevel.Debug));
    }

    [Fact]
    public void Everything_can_be_made_quieter_too()
    {
        var clients = _loggers.CreateLogger(Clients);
        _levels.Set(null, LogLevel.Error, TimeSpan.FromSeconds(30));
        Assert.False(clients.IsEnabled(LogLevel.Warning));
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.True(clients.IsEnabled(LogLevel.Information));
    }

    [Theory]
    [InlineData("")]
    [InlineData("cover*")]
    [InlineData("../cover")]
    [InlineData("cover\n")]
    public void What_is_no_category_is_refused(string category) =>
        Assert.Null(_levels.Set(category, LogLevel.Debug, TimeSpan.FromSeconds(30)));

    [Fact]
    public void There_are_sixteen_changes_at_a_time_at_most()
    {
        for (var i = 0; i < 16; i++) Assert.NotNull(_levels.Set($"part{i}", LogLevel.Debug, TimeSpan.FromSeconds(30)));
        Assert.Null(_levels.Set("one.more", LogLevel.Debug, TimeSpan.FromSeconds(30)));
        Assert.NotNull(_levels.Set("part3", LogLevel.Debug, TimeSpan.FromSeconds(30)));
    }

    private sealed class EverythingProvider : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Everything();

        public void Dispose()
        {
        }

        private sealed class Everything : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
            }
        }
    }
}
