using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Hosting;
using Portico.Links;
using Xunit;

namespace Portico.IntegrationTests.Hosting;

public class TerminalTests
{
    private const string Link = "tg://proxy?server=192.0.2.1&port=443&secret=00000000000000000000000000000001";

    [Theory]
    [InlineData("TERM=xterm", true, true)]
    [InlineData("TERM=xterm LANG=en_US.UTF-8", true, true)]
    [InlineData("TERM=xterm LC_ALL=C.utf8 LANG=C", true, true)]
    [InlineData("TERM=xterm LANG=C", true, false)]
    [InlineData("TERM=xterm LANG=de_DE.ISO-8859-1", true, false)]
    [InlineData("TERM=xterm NO_COLOR=1", false, true)]
    [InlineData("TERM=dumb LANG=en_US.UTF-8", false, false)]
    [InlineData("", false, false)]
    public void A_terminal_is_believed_what_it_says_of_itself(string environment, bool colours, bool blocks)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(one => one.Split('=')).ToDictionary(one => one[0], one => one[1]);

        var terminal = Terminal.From(variables.GetValueOrDefault, width: 80);

        Assert.Equal((colours, blocks), (terminal.Colours, terminal.Blocks));
    }

    [Fact]
    public void A_code_is_coloured_where_colours_may_be_set_and_nowhere_else()
    {
        Assert.Contains('\e', QrText.Draw(Link, new Terminal(Colours: true, Blocks: true, Width: 80)));
        Assert.DoesNotContain('\e', QrText.Draw(Link, new Terminal(Colours: false, Blocks: true, Width: 80)));
    }

    [Fact]
    public void A_code_that_is_wider_than_the_terminal_is_not_drawn()
    {
        var drawn = QrText.Draw(Link, new Terminal(Colours: true, Blocks: true, Width: 20));

        Assert.DoesNotContain('█', drawn);
        Assert.Contains("this terminal has 20", drawn, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Portico.Core.Cover.Learning.FlightLearner", "cover")]
    [InlineData("Portico.Core.Admission.Replay.ReplayMemory", "admission")]
    [InlineData("Portico.Core.PorticoService", "portico")]
    [InlineData("Portico.Commands.RunCommand", "portico")]
    public void A_message_names_its_area_and_no_class(string category, string area) => Assert.Equal(area, TextFormatter.AreaOf(category));

    [Fact]
    public void A_message_has_its_zone_in_a_file_and_is_short_on_a_terminal()
    {
        Assert.Equal("2026-11-28T14:00:05.000+02:00 warn: cover[CoverUnreachable] it is away", Written(LogPlace.Elsewhere));
        Assert.Equal("14:00:05 warn: it is away", Written(LogPlace.Terminal));
        Assert.Equal("<4>2026-11-28T14:00:05.000+02:00 warn: cover[CoverUnreachable] it is away", Written(LogPlace.Journal));

        string Written(LogPlace place)
        {
            using var text = new StringWriter();
            var entry = new LogEntry<string>(
                LogLevel.Warning, "Portico.Core.Cover.CoverHealth", new EventId(1611, "CoverUnreachable"),
                "it is\naway", null, (state, _) => state);
            new TextFormatter(new TwoHoursEast(), place).Write(entry, null, text);
            return text.ToString().TrimEnd();
        }
    }

    [Theory]
    [InlineData("9:1234", "socket:[1234]", true)]
    [InlineData("9:1234", "socket:[1235]", false)]
    [InlineData("9:1234", "/var/log/portico.log", false)]
    [InlineData("1234", "socket:[1234]", false)]
    [InlineData(null, "socket:[1234]", false)]
    [InlineData("9:1234", null, false)]
    public void The_journal_is_known_by_the_stream_that_stderr_is(string? stream, string? stderr, bool expected) =>
        Assert.Equal(expected, LogPlaces.IsJournal(stream, stderr));

    private sealed class TwoHoursEast : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.CreateCustomTimeZone(
            "test", TimeSpan.FromHours(2), "test", "test");

        public override DateTimeOffset GetUtcNow() => new(2026, 11, 28, 12, 0, 5, TimeSpan.Zero);
    }
}
