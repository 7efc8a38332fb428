using System.Text;
using Portico.Core.Background;
using Portico.Core.Cover.Learning;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Core.Tests.Cover.Learning;

public sealed class FlightCacheTests : IDisposable
{
    private const string Good = """
        { "flights": [ { "domain": "a.example", "target": "a.example:443", "asOf": "2026-03-01T12:00:00+00:00",
          "suites": { "27": 4866 }, "classicGroup": 29, "postQuantumGroup": 4588,
          "keyShareFirst": true, "classicLengths": [640], "postQuantumLengths": [641, 642] } ] }
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("portico-").FullName;

    private readonly string _file;

    public FlightCacheTests() => _file = Path.Combine(_directory, "cover-flights.json");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_was_kept_is_read_back_whole()
    {
        var flight = Flights.Of([640, 641], [700], order: ServerExtensionOrder.KeyShareFirst);
        FlightSubject[] subjects = [Subject("a.example", flight), Subject("b.example", null), Subject("c.example", Flights.Of([1]))];

        Assert.Null(new FlightCache(_directory).Write(subjects, Flights.AsOf));
        var kept = new FlightCache(_directory).Read();

        Assert.Equal(["a.example", "c.example"], kept.Keys.Select(key => key.Domain).Order());
        var again = kept[("a.example", "127.0.0.1:443")];
        Assert.True(again.LooksLike(flight));
        Assert.Equal(flight.ClassicLengths.AsEnumerable(), again.ClassicLengths);
        Assert.Equal((flight.AsOf, flight.Order), (again.AsOf, again.Order));
        Assert.All(TlsSuiteOffer.All, offer => Assert.Equal(flight.SuiteOf(offer), again.SuiteOf(offer)));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_file));
    }

    [Fact]
    public void The_file_says_what_it_means()
    {
        File.WriteAllText(_file, Good);
        var flight = Assert.Single(new FlightCache(_directory).Read()).Value;
        Assert.Equal((0x1302, 0x1d, 0x11ec), (flight.SuiteOf(TlsSuiteOffer.Usual), flight.ClassicGroup, flight.PostQuantumGroup));
        Assert.Equal([641, 642], flight.PostQuantumLengths.AsEnumerable());
    }

    [Theory]
    [InlineData("[640]", "[]")]
    [InlineData("[640]", "[0]")]
    [InlineData("[640]", "[-1]")]
    [InlineData("[640]", "[1000000]")]
    [InlineData("[640]", "null")]
    [InlineData("4866", "4868")]
    [InlineData("\"27\"", "\"64\"")]
    [InlineData("\"27\"", "\"1\"")]
    [InlineData("\"27\"", "\"-1\"")]
    [InlineData("4866", "70402")]
    [InlineData("4588", "-4")]
    [InlineData("{ \"27\": 4866 }", "null")]
    [InlineData("} ] }", "} ] ")]
    [InlineData("{ \"flights\": [", "[")]
    [InlineData("2026-03-01", "yesterday")]
    [InlineData("\"a.example\"", "null")]
    public void A_spoilt_file_is_as_good_as_none(string good, string bad)
    {
        Assert.Contains(good, Good, StringComparison.Ordinal);
        File.WriteAllText(_file, Good.Replace(good, bad, StringComparison.Ordinal));
        Assert.Empty(new FlightCache(_directory).Read());
    }

    [Fact]
    public void An_entry_that_is_nothing_spoils_none_of_the_others()
    {
        File.WriteAllText(_file, Good.Replace("\"flights\": [", "\"flights\": [ null,", StringComparison.Ordinal));
        Assert.Single(new FlightCache(_directory).Read());
    }

    [Fact]
    public void Random_bytes_and_a_missing_file_are_none()
    {
        Assert.Empty(new FlightCache(_directory).Read());
        File.WriteAllBytes(_file, [0, 255, 1, 2]);
        Assert.Empty(new FlightCache(_directory).Read());
        File.WriteAllText(_file, "null", Encoding.ASCII);
        Assert.Empty(new FlightCache(_directory).Read());
    }

    private static FlightSubject Subject(string domain, LearnedFlight? flight) =>
        new(domain, CoverTarget.OfAddress(new(System.Net.IPAddress.Loopback, 443)), [0], new RefreshSchedule(TimeSpan.FromHours(1)))
        {
            Flight = flight,
        };
}
