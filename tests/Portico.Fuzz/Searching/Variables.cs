using System.Globalization;

namespace Portico.Fuzz.Searching;

/// <summary>The environment variables that steer a run.</summary>
internal static class Variables
{
    /// <summary>Only this target.</summary>
    public const string Target = "PORTICO_FUZZ_TARGET";

    /// <summary>Only this seed, in decimal.</summary>
    public const string Seed = "PORTICO_FUZZ_SEED";

    /// <summary>One input in hexadecimal, checked in place of the corpus.</summary>
    public const string Input = "PORTICO_FUZZ_INPUT";

    /// <summary>The search of one target, in seconds.</summary>
    public const string Seconds = "PORTICO_FUZZ_SECONDS";

    // All searches of a run together, shared out evenly.
    private const int SecondsOfAll = 20;
    private const int SecondsOfAllSlow = 600;

    /// <summary>The seed that every run begins with: what it finds, it finds everywhere.</summary>
    private const ulong FixedSeed = 20260101;

    public static string? OnlyTarget => Read(Target);

    public static byte[]? OneInput => Read(Input) is { } hex ? Convert.FromHexString(hex) : null;

    /// <summary>The seeds of a search: a fixed one and one that nobody tried before.</summary>
    public static ulong[] Seeds => Read(Seed) is { } seed
        ? [ulong.Parse(seed, CultureInfo.InvariantCulture)]
        : [FixedSeed, (ulong)Random.Shared.NextInt64()];

    /// <summary>How long one target of <paramref name="targets"/> may be searched.</summary>
    public static TimeSpan BudgetOfOne(int targets) => Read(Seconds) is { } seconds
        ? TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture))
        : TimeSpan.FromSeconds(Read("PORTICO_SLOW") is null ? SecondsOfAll : SecondsOfAllSlow) / targets;

    private static string? Read(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
