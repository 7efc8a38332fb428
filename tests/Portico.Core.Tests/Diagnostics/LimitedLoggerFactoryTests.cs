using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Tests.Docs;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.Core.Tests.Diagnostics;

public sealed class LimitedLoggerFactoryTests : IDisposable
{
    private const int Dc = 1321; // DcUnreachable, of which there may be 12 at once

    private readonly LogProbe _log = new();
    private readonly ManualTime _time = new();
    private readonly ILoggerFactory _factory;

    public LimitedLoggerFactoryTests() => _factory = LimitedLoggerFactory.Around(_log.Factory, _time);

    public void Dispose() => _log.Dispose();

    [Fact]
    public void Of_a_flood_one_line_comes_at_once_and_one_a_second_with_the_number_of_the_others()
    {
        for (var i = 0; i < 60_000; i++)
        {
            Write(1, $"{i}");
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        var lines = Texts();
        Assert.InRange(lines.Count, 59, 61);
        Assert.Equal("0", lines[0]);
        Assert.All(lines.Skip(1), line => Assert.Matches(@"^\d+ \(\d+ more like it\)", line));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(60_000, Texts().Count + Texts().Sum(LeftOut));
    }

    [Fact]
    public void What_comes_no_more_is_told_all_the_same_when_its_second_is_over()
    {
        Write(1, "first");
        Write(1, "second");
        Write(1, "third");
        Assert.Equal(["first"], Texts());
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal(["first"], Texts());
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(["first", "third (1 more like it)"], Texts());
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(2, Texts().Count);
    }

    [Fact]
    public void A_single_line_that_had_to_wait_is_as_it_was()
    {
        Write(1, "first");
        Write(1, "second");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["first", "second"], Texts());
    }

    [Fact]
    public void What_was_told_late_counts_for_the_second_that_follows()
    {
        Write(1, "first");
        Write(1, "second");
        _time.Advance(TimeSpan.FromSeconds(1.5));
        Write(1, "third");
        Assert.Equal(2, Texts().Count);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["first", "second", "third"], Texts());
    }

    [Fact]
    public void Events_do_not_wait_for_each_other_and_a_line_that_comes_seldom_is_never_late()
    {
        for (var id = 1; id <= 5; id++) Write(id, $"{id}");
        Assert.Equal(["1", "2", "3", "4", "5"], Texts());
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Write(1, "again");
        }

        Assert.Equal(10, Texts().Count);
    }

    [Theory]
    [InlineData(LogLevel.Trace, 100)]
    [InlineData(LogLevel.Debug, 100)]
    [InlineData(LogLevel.Information, 1)]
    [InlineData(LogLevel.Warning, 1)]
    [InlineData(LogLevel.Error, 1)]
    [InlineData(LogLevel.Critical, 1)]
    public void Every_level_above_debug_is_limited_and_no_other(LogLevel level, int written)
    {
        for (var i = 0; i < 100; i++) Write(1, "text", level);
        Assert.Equal(written, Texts().Count);
    }

    [Fact]
    public void Lines_that_each_name_another_data_centre_come_at_once_up_to_their_number()
    {
        for (var dc = 1; dc <= 20; dc++) Write(Dc, $"DC {dc}");
        Assert.Equal(12, Texts().Count);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("DC 20 (7 more like it)", Texts()[^1]);
        // A flood of them is one a second like any other.
        for (var i = 0; i < 60; i++)
        {
            for (var dc = 1; dc <= 20; dc++) Write(Dc, $"DC {dc}");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(Texts().Count, 13 + 58, 13 + 61);
    }

    [Fact]
    public void What_waits_is_written_when_the_log_ends()
    {
        Write(1, "first");
        Write(1, "second");
        _factory.Dispose();
        Assert.Equal(["first", "second"], Texts());
    }

    [Fact]
    public void A_factory_that_limits_already_is_not_limited_again()
    {
        Assert.Same(_factory, LimitedLoggerFactory.Around(_factory, _time));
    }

    [Fact]
    public void From_many_threads_no_line_is_lost_or_counted_twice()
    {
        Parallel.For(0, 10_000, _ => Write(1, "text"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, Texts().Count);
        Assert.Equal(10_000, 2 + Texts().Sum(LeftOut));
    }

    [Fact]
    public void Event_ids_with_a_number_of_their_own_exist_under_the_names_beside_them()
    {
        var named = Repository.Files(".cs", "src").SelectMany(file => Regex.Matches(
            Repository.Read(file), @"\[(\d{4})\] = \d+, // (\w+)")).ToList();
        var sources = string.Concat(Repository.Files(".cs", "src").Select(Repository.Read));

        Assert.True(named.Count > 15);
        Assert.All(named, match => Assert.Contains(
            $"EventId = {match.Groups[1].Value}, EventName = \"{match.Groups[2].Value}\"", sources, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_line_above_debug_has_an_event_id_that_it_can_be_counted_by()
    {
        var without = Repository.Files(".cs", "src").Where(file => Regex.IsMatch(
            Repository.Read(file), @"\[LoggerMessage\((?!EventId = \d{4}, EventName = "")|\.Log(?:Information|Warning|Error|Critical)\("));

        Assert.Empty(without);
    }

    private static int LeftOut(string line) =>
        Regex.Match(line, @"\((\d+) more like it\)") is { Success: true } match
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : 0;

    private void Write(int id, string text, LogLevel level = LogLevel.Warning) =>
        _factory.CreateLogger("test").Log(level, new EventId(id), text, null, static (text, _) => text);

    private List<string> Texts() => [.. _log.Lines.Select(line => line.Text)];
}
