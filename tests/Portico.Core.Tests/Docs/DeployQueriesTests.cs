using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Portico.Core.Tests.Docs;

/// <summary>A dashboard whose queries name what is not there stays empty, and an alert never comes: nobody would notice.</summary>
public sealed partial class DeployQueriesTests
{
    private const string Dashboard = "deploy/grafana/portico.json", Rules = "deploy/prometheus/portico.rules.yml",
        RuleTests = "deploy/prometheus/portico.rules.test.yml";

    // Those that Prometheus adds to every series.
    private static readonly string[] OfPrometheus = ["instance", "job"];

    private static readonly PublishedMetrics Published = PublishedMetrics.Read();

    // What docs/metrics.md sets as code: values of labels are among it.
    private static readonly HashSet<string> Documented =
        [.. Code().Matches(Repository.Read("docs/metrics.md")).Select(match => match.Groups["code"].Value)];

    public static TheoryData<string> Files => [Dashboard, Rules, RuleTests];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_query_names_metrics_labels_and_values_that_exist(string file)
    {
        var queries = QueriesOf(file).ToList();

        Assert.True(queries.Count >= 20, $"{file}: {queries.Count} queries were found");
        Assert.Empty(queries.SelectMany(Faults).Distinct());
    }

    [Theory]
    [InlineData("rate(portico_clients_sent_bytes_total[5m])", "portico_clients_sent_bytes_total: no such metric")]
    [InlineData("portico_client_sent_bytes", "portico_client_sent_bytes: no such metric")]
    [InlineData("portico_session_duration_seconds", "portico_session_duration_seconds: no such metric")]
    [InlineData("sum by (dc) (portico_connections)", "by (dc): portico_connections has no such label")]
    [InlineData("portico_connections{dc=\"2\"}", "{dc}: portico_connections has no such label")]
    [InlineData("portico_connections{state=\"relayed\"}", "{state=relayed}: docs/metrics.md knows no such value")]
    [InlineData("portico_connections{state=~\"cover|relayed\"}", "{state=relayed}: docs/metrics.md knows no such value")]
    [InlineData("histogram_quantile(0.9, sum by (le) (portico_dc_connect_total))", "by (le): portico_dc_connect_total has no such label")]
    [InlineData("label_values(portico_connections, listeners)", "by (listeners): portico_connections has no such label")]
    public void A_query_that_is_wrong_is_found(string query, string fault)
    {
        Assert.Equal([fault], Faults(query));
    }

    [Theory]
    [InlineData("sum by (le, dc) (rate(portico_dc_connect_duration_seconds_bucket{instance=~\"$instance\"}[5m]))")]
    [InlineData("portico_connections{state=\"cover\", listener=~\"$listener\"} / on (instance) portico_cover_limit")]
    public void A_query_that_is_right_is_not(string query)
    {
        Assert.Empty(Faults(query));
    }

    [Fact]
    public void Metrics_that_the_page_for_operators_asks_for_exist()
    {
        var asked = Code().Matches(Repository.Read("docs/operations.md")).Select(match => match.Groups["code"].Value)
            .Where(code => code.StartsWith("portico_", StringComparison.Ordinal)).Select(OfHistogram).ToList();

        Assert.True(asked.Count >= 10, $"{asked.Count} were found");
        Assert.Empty(asked.SelectMany(Faults).Distinct());
    }

    [Fact]
    public void Every_instrument_is_measured_here_so_that_its_labels_are_known()
    {
        Assert.Empty(Published.Unmeasured.Select(instrument => instrument.Name));
    }

    [Fact]
    public void Labels_in_metrics_md_are_those_that_are_measured()
    {
        var rows = Repository.Read("docs/metrics.md").Split('\n');
        var wrong = Published.Instruments.Select(instrument =>
        {
            var row = rows.Single(row => row.StartsWith($"| `{instrument.Name}` |", StringComparison.Ordinal));
            var documented = Code().Matches(row.Split('|')[4]).Select(match => match.Groups["code"].Value).Order();
            return (instrument.Name, Documented: string.Join(", ", documented),
                Measured: string.Join(", ", Published.LabelsOf(instrument).Order()));
        }).Where(it => it.Documented != it.Measured);

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_panel_has_a_title_a_description_and_a_place_of_its_own()
    {
        using var dashboard = JsonDocument.Parse(Repository.Read(Dashboard));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        var shown = panels.Where(panel => panel.GetProperty("type").GetString() != "row").ToList();

        Assert.True(shown.Count > 30);
        Assert.All(shown, panel => Assert.NotEqual("", panel.GetProperty("description").GetString()));
        Assert.All(panels, panel => Assert.NotEqual("", panel.GetProperty("title").GetString()));
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        var cells = panels.Select(panel => panel.GetProperty("gridPos")).SelectMany(Cells).ToList();
        Assert.Equal(cells.Count, cells.Distinct().Count());
        Assert.All(cells, cell => Assert.InRange(cell.X, 0, 23));
    }

    [Fact]
    public void Every_alert_says_what_it_is_how_bad_and_what_to_do()
    {
        var alerts = Repository.Read(Rules).Split("      - alert: ").Skip(1).ToList();

        Assert.True(alerts.Count >= 15);
        Assert.All(alerts, alert => Assert.Matches(
            @"\A\w+\n(?s:.*)severity: (critical|warning)\n(?s:.*)summary: ""(?s:.*)description: >-\n {12}\S", alert));
    }

    private static IEnumerable<(int X, int Y)> Cells(JsonElement place)
    {
        var (left, top) = (place.GetProperty("x").GetInt32(), place.GetProperty("y").GetInt32());
        return
            from x in Enumerable.Range(left, place.GetProperty("w").GetInt32())
            from y in Enumerable.Range(top, place.GetProperty("h").GetInt32())
            select (x, y);
    }

    private static IEnumerable<string> QueriesOf(string file)
    {
        var text = Repository.Read(file);
        if (file.EndsWith(".yml", StringComparison.Ordinal))
            return Expression().Matches(text).Select(match => match.Groups["query"].Value);
        using var dashboard = JsonDocument.Parse(text);
        return [.. Strings(dashboard.RootElement, ["expr", "query", "definition"])
            .Where(query => query.Contains("portico", StringComparison.Ordinal))];
    }

    private static IEnumerable<string> Strings(JsonElement element, string[] names) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(item => Strings(item, names)),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property =>
            property.Value.ValueKind == JsonValueKind.String
                ? names.Contains(property.Name) ? [property.Value.GetString()!] : []
                : Strings(property.Value, names)),
        _ => [],
    };

    private static List<string> Faults(string query)
    {
        var faults = new List<string>();
        var grouped = Grouping().Matches(query).SelectMany(match => match.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries))
            .Where(label => label.Length > 0 && !OfPrometheus.Contains(label)).ToHashSet();
        var known = new List<(string Name, IReadOnlySet<string> Labels)>();
        foreach (Match series in Series().Matches(query))
        {
            var name = series.Groups["name"].Value;
            if (Published.LabelsOf(name) is not { } labels)
            {
                faults.Add($"{name}: no such metric");
                continue;
            }

            known.Add((name, labels));
            foreach (Match matcher in Matcher().Matches(series.Groups["matchers"].Value))
            {
                var label = matcher.Groups["label"].Value;
                if (OfPrometheus.Contains(label)) continue;
                if (!labels.Contains(label)) faults.Add($"{{{label}}}: {name} has no such label");
                else if (label is "state" or "stage" or "result" or "reason" or "age" or "document" or "end" or "phase")
                    faults.AddRange(matcher.Groups["value"].Value.Split('|').Where(value => !Documented.Contains(value))
                        .Select(value => $"{{{label}={value}}}: docs/metrics.md knows no such value"));
            }
        }

        // Of several series in a query one that has the label will do: the others are grouped by others.
        faults.AddRange(known.Count == 0
            ? []
            : grouped.Where(label => !known.Exists(it => it.Labels.Contains(label)))
                .Select(label => $"by ({label}): {known[0].Name} has no such label"));
        return faults;
    }

    // A name, and what stands in braces behind it.
    // The page calls a histogram by its name; a query asks for its buckets.
    private static string OfHistogram(string metric) =>
        Published.LabelsOf(metric) is null && Published.LabelsOf($"{metric}_bucket") is not null ? $"{metric}_bucket" : metric;

    [GeneratedRegex(@"\b(?<name>portico_\w+)(?:\{(?<matchers>[^}]*)\})?")]
    private static partial Regex Series();

    [GeneratedRegex(@"(?<label>\w+)\s*(?:=~|!~|!=|=)\s*""(?<value>[^""]*)""")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"\b(?:by|on|ignoring|without)\s*\((?<labels>[^)]*)\)|label_values\([^,]*(?:\{[^}]*\})?,\s*(?<labels>\w+)\)")]
    private static partial Regex Grouping();

    // On the line itself, or folded below it with more blanks; series of tests stand in quotes.
    [GeneratedRegex(
        @"^ +expr: (?<query>(?!>-)[^\n]+)$|^(?<indent> +)expr: >-\n(?<query>(?:\k<indent> +[^\n]+\n)+)|series: '(?<query>[^']+)'",
        RegexOptions.Multiline)]
    private static partial Regex Expression();

    [GeneratedRegex("`(?<code>[^`\n]+)`")]
    private static partial Regex Code();
}
