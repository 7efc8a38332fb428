using System.Text.Json;
using Portico.TestKit;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Docs;

/// <summary>What deploy/ has for Prometheus, judged by its own tool; that the names in it exist is held by DeployQueriesTests.</summary>
public sealed class PromtoolTests : IDisposable
{
    private const string Promtool = "promtool";

    private static readonly string Deploy = Path.Combine(RepositoryRoot.Path, "deploy");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("portico-promtool-");

    public void Dispose() => _folder.Delete(recursive: true);

    [ToolFact(Promtool)]
    public async Task The_alert_rules_are_right() => await AcceptsAsync("check", "rules", InDeploy("portico.rules.yml"));

    [ToolFact(Promtool)]
    public async Task The_alerts_come_when_they_should_and_only_then() =>
        await AcceptsAsync("test", "rules", InDeploy("portico.rules.test.yml"));

    [ToolFact(Promtool)]
    public async Task The_example_of_a_configuration_is_right() =>
        await AcceptsAsync("check", "config", InDeploy("prometheus.example.yml"));

    [ToolFact(Promtool)]
    public async Task Every_query_of_the_dashboard_is_one()
    {
        var queries = Queries().ToList();
        Assert.True(queries.Count > 50);
        await AcceptsAsync("check", "rules", AsRules(queries));
    }

    [ToolFact(Promtool)]
    public async Task A_query_that_is_none_is_found()
    {
        var (code, _, errors) = await Programs.RunAsync(Promtool, ["check", "rules", AsRules(["sum by (dc (portico_dc_clients)"])]);
        Assert.NotEqual(0, code);
        Assert.Contains("could not parse expression", errors, StringComparison.Ordinal);
    }

    [ToolFact(Promtool)]
    public async Task An_alert_with_another_threshold_fails_its_test()
    {
        var rules = await File.ReadAllTextAsync(InDeploy("portico.rules.yml"));
        var changed = rules.Replace("_descriptors_limit > 0) > 0.9", "_descriptors_limit > 0) > 0.99", StringComparison.Ordinal);
        Assert.NotEqual(rules, changed);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "portico.rules.yml"), changed);
        var tests = Path.Combine(_folder.FullName, "portico.rules.test.yml");
        File.Copy(InDeploy("portico.rules.test.yml"), tests);
        var (code, output, errors) = await Programs.RunAsync(Promtool, ["test", "rules", tests]);
        Assert.NotEqual(0, code);
        Assert.Contains("PorticoDescriptors", output + errors, StringComparison.Ordinal);
    }

    private static string InDeploy(string file) => Path.Combine(Deploy, "prometheus", file);

    private static async Task AcceptsAsync(params string[] arguments)
    {
        var (code, output, errors) = await Programs.RunAsync(Promtool, arguments);
        Assert.True(code == 0, $"{string.Join(' ', arguments)}: {output}{errors}");
    }

    // With what Grafana puts in place of its variables.
    private static IEnumerable<string> Queries()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Deploy, "grafana", "portico.json")));
        return
        [
            .. Expressions(dashboard.RootElement).Select(query => query
                .Replace("$__rate_interval", "1m", StringComparison.Ordinal)
                .Replace("$instance", ".*", StringComparison.Ordinal)
                .Replace("$listener", ".*", StringComparison.Ordinal)),
        ];
    }

    private static IEnumerable<string> Expressions(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Expressions),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property =>
            property.NameEquals("expr") ? [property.Value.GetString()!] : Expressions(property.Value)),
        _ => [],
    };

    // JSON is YAML.
    private string AsRules(List<string> queries)
    {
        var path = Path.Combine(_folder.FullName, "queries.yml");
        using var file = File.Create(path);
        using var json = new Utf8JsonWriter(file);
        json.WriteStartObject();
        json.WriteStartArray("groups");
        json.WriteStartObject();
        json.WriteString("name", "dashboard");
        json.WriteStartArray("rules");
        for (var i = 0; i < queries.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("record", $"query{i}");
            json.WriteString("expr", queries[i]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        return path;
    }
}
