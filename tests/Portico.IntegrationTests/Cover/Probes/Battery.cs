using System.Collections.Immutable;
using System.Net;

namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>All probes at one address, and what came back.</summary>
/// <param name="Answers">By the probe's id.</param>
internal sealed record Battery(ImmutableDictionary<string, Observation> Answers)
{
    /// <summary>Longer than the proxy waits before it asks the cover about an undecided stranger, on a loaded machine too.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2.5);

    /// <summary>Number of rows.</summary>
    public static int Size => ProbeTable.All.Length;

    /// <summary>Asks everything at the same time.</summary>
    public static async Task<Battery> AskAsync(IPEndPoint endpoint, TimeSpan? quiet = null)
    {
        var prober = await PrepareAsync(endpoint, quiet ?? Quiet);
        var answers = await Task.WhenAll(ProbeTable.All.Select(probe => prober.AskAsync(endpoint, probe)));
        return new Battery(ProbeTable.All.Zip(answers).ToImmutableDictionary(pair => pair.First.Id, pair => pair.Second));
    }

    /// <summary>Finds out how long this server's flight is.</summary>
    public static async Task<Prober> PrepareAsync(IPEndPoint endpoint, TimeSpan quiet)
    {
        var prober = new Prober(FlightRecords: 1, quiet);
        var honest = await prober.AskAsync(endpoint, ProbeTable.All[0]);
        return prober with { FlightRecords = honest.Records.Length };
    }

    /// <summary>What a prober sees differently here than at <paramref name="cover"/>; empty = nothing.</summary>
    /// <param name="cover">What the cover says when asked directly.</param>
    /// <param name="endedByChance">See <see cref="ProbeTable.EndedByChance"/>.</param>
    public IEnumerable<string> DifferencesFrom(Battery cover, ImmutableHashSet<string>? endedByChance = null) =>
        from probe in ProbeTable.All
        let there = cover.Answers[probe.Id]
        let here = Answers[probe.Id]
        where !here.LooksLike(there, endedByChance?.Contains(probe.Id) ?? false)
        select $"{probe}: the cover says [{there}], here [{here}]";

    /// <summary>Which rows of the table this server answers otherwise.</summary>
    public IEnumerable<string> DifferencesFromTable(ImmutableDictionary<string, string>? except = null) =>
        from probe in ProbeTable.All
        let expected = except?.GetValueOrDefault(probe.Id) ?? probe.Expected
        let answer = Answers[probe.Id]
        where Plain(answer) != Filled(expected)
        select $"{probe}: the table says [{expected}], the server [{answer}]";

    // The length of the certificate is this test's own; it is taken from the answer to an honest hello.
    private string Filled(string expected)
    {
        var certificate = Answers["P01"].Records is { Length: > 3 } flight ? flight[3].Length : 0;
        return expected.Replace("CERT-20", $"{certificate - 20}", StringComparison.Ordinal)
            .Replace("CERT", $"{certificate}", StringComparison.Ordinal);
    }

    private static string Plain(Observation answer) =>
        (answer with { Records = [.. answer.Records.Select(record => record.MayVary ? record with { Length = Middle(record) } : record)] })
            .ToString();

    // The table has the length of a signature in the middle of what is usual.
    private static int Middle(SeenRecord record)
    {
        var middle = record.Kind == "APP" ? 96 : 115;
        return Math.Abs(record.Length - middle) <= SeenRecord.MostDifference ? middle : record.Length;
    }
}
