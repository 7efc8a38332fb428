using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Portico.Core.Background;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>
/// What was learned, in the data directory: after a restart the very first flight
/// is like the cover's. A file that cannot be understood is as good as none.
/// </summary>
internal sealed class FlightCache(string directory)
{
    public const string FileName = "cover-flights.json";
    private const int Limit = 4 * 1024 * 1024;
    private const int MostLengths = 256;

    private readonly FileCache _files = new(directory);

    /// <summary>What an earlier run knew, by name and cover.</summary>
    public IReadOnlyDictionary<(string Domain, string Target), LearnedFlight> Read()
    {
        var flights = new Dictionary<(string, string), LearnedFlight>();
        if (!_files.TryRead(FileName, Limit, out var body, out _)) return flights;
        try
        {
            foreach (var kept in JsonSerializer.Deserialize(body, FlightCacheJson.Default.KeptFlights)?.Flights ?? [])
            {
                // What an array holds is not checked for null by the serializer.
                if (kept is not null && TryRestore(kept) is { } flight)
                    flights[(kept.Domain, kept.Target)] = flight;
            }
        }
        catch (JsonException)
        {
            // Spoilt, or of another version: it is learned anew.
        }

        return flights;
    }

    /// <summary>Replaces the file.</summary>
    /// <returns>Null, or why it could not be written.</returns>
    public string? Write(IEnumerable<FlightSubject> subjects, DateTimeOffset now)
    {
        var kept = new KeptFlights
        {
            Flights = [.. subjects.Where(subject => subject.Flight is not null).Select(subject => Keep(subject, subject.Flight!))],
        };
        return _files.Write(FileName, JsonSerializer.SerializeToUtf8Bytes(kept, FlightCacheJson.Default.KeptFlights), now);
    }

    private static KeptFlight Keep(FlightSubject subject, LearnedFlight flight) => new()
    {
        Domain = subject.Domain,
        Target = subject.Target.ToString(),
        AsOf = flight.AsOf,
        Suites = TlsSuiteOffer.All.Where(offer => flight.SuiteOf(offer) != TlsCipherSuites.None)
            .ToDictionary(offer => offer.Code.ToString(CultureInfo.InvariantCulture), offer => (int)flight.SuiteOf(offer)),
        ClassicGroup = flight.ClassicGroup,
        PostQuantumGroup = flight.PostQuantumGroup,
        KeyShareFirst = flight.Order == ServerExtensionOrder.KeyShareFirst,
        OtherExtensions = flight.HasOtherExtensions,
        ClassicLengths = [.. flight.ClassicLengths],
        PostQuantumLengths = [.. flight.PostQuantumLengths],
    };

    // The file is ours, but whoever can write to it must not make us name
    // a suite that was not offered, or fail with an exception on a loop.
    private static LearnedFlight? TryRestore(KeptFlight kept)
    {
        if (!AreLengths(kept.ClassicLengths) || !AreLengths(kept.PostQuantumLengths)) return null;
        if (!IsNumber(kept.ClassicGroup) || !IsNumber(kept.PostQuantumGroup)) return null;
        var suites = new ushort[TlsSuiteOffer.MaxCode];
        foreach (var (code, suite) in kept.Suites)
        {
            if (!int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || !TlsSuiteOffer.TryFromCode(number, out var offer))
                return null;
            if (!IsNumber(suite) || !offer.Contains((ushort)suite)) return null;
            suites[number] = (ushort)suite;
        }

        return new LearnedFlight([.. suites])
        {
            ClassicGroup = (ushort)kept.ClassicGroup,
            PostQuantumGroup = (ushort)kept.PostQuantumGroup,
            Order = kept.KeyShareFirst ? ServerExtensionOrder.KeyShareFirst : ServerExtensionOrder.SupportedVersionsFirst,
            HasOtherExtensions = kept.OtherExtensions,
            ClassicLengths = [.. kept.ClassicLengths],
            PostQuantumLengths = [.. kept.PostQuantumLengths],
            AsOf = kept.AsOf,
        };
    }

    private static bool AreLengths(int[] lengths) =>
        lengths.Length is > 0 and <= MostLengths && lengths.All(length => length is > 0 and <= ServerFlightMeter.MaxEncryptedLength);

    private static bool IsNumber(int value) => value is >= 0 and <= ushort.MaxValue;
}

/// <summary>The file.</summary>
internal sealed class KeptFlights
{
    public KeptFlight[] Flights { get; set; } = [];
}

/// <summary>One name at one cover; see <see cref="LearnedFlight"/>.</summary>
internal sealed class KeptFlight
{
    public string Domain { get; set; } = "";

    public string Target { get; set; } = "";

    public DateTimeOffset AsOf { get; set; }

    /// <summary>By the code of the offer.</summary>
    public Dictionary<string, int> Suites { get; set; } = [];

    public int ClassicGroup { get; set; }

    public int PostQuantumGroup { get; set; }

    public bool KeyShareFirst { get; set; }

    public bool OtherExtensions { get; set; }

    public int[] ClassicLengths { get; set; } = [];

    public int[] PostQuantumLengths { get; set; } = [];
}

/// <summary>Metadata, generated at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    WriteIndented = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(KeptFlights))]
internal sealed partial class FlightCacheJson : JsonSerializerContext;
