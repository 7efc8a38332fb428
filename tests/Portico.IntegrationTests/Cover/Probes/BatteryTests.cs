using Portico.TestKit.Covers;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>The battery itself: it asks what it says it asks, and notices who answers differently.</summary>
public sealed class BatteryTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1.5);

    [ToolFact(NginxCover.Program)]
    public async Task nginx_answers_every_probe_as_the_table_says()
    {
        await using var cover = await NginxCover.StartAsync(Long);
        var differences = (await Battery.AskAsync(cover.Endpoint, Quiet)).DifferencesFromTable().ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [ToolFact(NginxCover.Program)]
    public async Task nginx_that_rejects_unknown_names_answers_every_probe_as_the_table_says()
    {
        await using var cover = await NginxCover.StartAsync(Long, rejectsOtherNames: true);
        var differences = (await Battery.AskAsync(cover.Endpoint, Quiet)).DifferencesFromTable(ProbeTable.OfRejectingVhost).ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [ToolFact(NginxCover.Program)]
    public async Task A_relay_that_changes_nothing_looks_like_the_cover()
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var relay = new StandInRelay(cover.Endpoint);
        var direct = Battery.AskAsync(cover.Endpoint, Quiet);
        var differences = (await Battery.AskAsync(relay.Endpoint, Quiet)).DifferencesFrom(await direct).ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [ToolTheory(NginxCover.Program)]
    [InlineData(nameof(RelayFault.ClosesOnHalfClose), "P42")]
    [InlineData(nameof(RelayFault.AnswersAnAlert), "P49 P50 P51 P52 P53 P54 P55 P56")]
    [InlineData(nameof(RelayFault.KeepsOpen), "P07 P44 P49")]
    [InlineData(nameof(RelayFault.ChangesAByte), "P01 P38 P41")]
    public async Task A_relay_that_differs_is_noticed(string fault, string probes)
    {
        await using var cover = await NginxCover.StartAsync(Long);
        await using var relay = new StandInRelay(cover.Endpoint, Enum.Parse<RelayFault>(fault));
        var direct = Battery.AskAsync(cover.Endpoint, Quiet);
        var differences = (await Battery.AskAsync(relay.Endpoint, Quiet)).DifferencesFrom(await direct).ToList();
        output.WriteLine(string.Join('\n', differences));
        Assert.All(probes.Split(' '), probe => Assert.Contains(
            differences, difference => difference.StartsWith(probe + ' ', StringComparison.Ordinal)));
    }
}
