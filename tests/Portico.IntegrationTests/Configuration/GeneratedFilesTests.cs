using System.Text.Json.Nodes;
using Portico.Configuration;
using Portico.Import;
using Xunit;

namespace Portico.IntegrationTests.Configuration;

public class GeneratedFilesTests
{
    private const string Rewrite = "dotnet run -c Release --project src/Portico -- docs docs";

    public static TheoryData<string> Names => [.. GeneratedFiles.All().Select(file => file.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_written_down_about_the_options_agrees_with_them(string name)
    {
        var path = Path.Combine(RepositoryRoot(), "docs", name);
        var expected = GeneratedFiles.All().Single(file => file.Name == name).Text;

        Assert.True(File.Exists(path) && File.ReadAllText(path) == expected, $"docs/{name} is out of date; this rewrites it: {Rewrite}");
    }

    [Fact]
    public void The_page_about_the_Erlang_proxy_has_a_row_for_every_key_that_its_converter_knows_and_no_other()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "migrating-from-erlang.md"));
        var table = page[page.IndexOf("## Options", StringComparison.Ordinal)..page.IndexOf("Numbers that were", StringComparison.Ordinal)];
        var named = table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line =>
            line.Split('|')[1]).ToList();
        var rules = ImportSource.All.Single(source => source.Name == "erlang").Rules;

        Assert.Equal([], rules.Select(rule => rule.Key).Where(key => !named.Exists(row => Keys(row).Contains(key))));
        Assert.Equal([], named.Where(row => !Keys(row).Any(key => rules.Any(rule => rule.Covers(key)))));

        static IEnumerable<string> Keys(string row) => row.Split('`').Where((_, i) => i % 2 == 1).Select(key => key.Split('[', ',')[0]);
    }

    [Fact]
    public void The_sample_is_a_valid_configuration_at_its_defaults()
    {
        var loaded = LoadedConfiguration.Load(SampleConfiguration.Text(), ".", []);

        Assert.Empty(loaded.Errors);
        Assert.Equal(["listeners[0].secret"], loaded.Warnings.Select(warning => warning.Key));
    }

    [Fact]
    public void The_sample_with_its_examples_switched_on_is_valid_too()
    {
        var text = string.Join('\n', SampleConfiguration.Text().Split('\n').Select(line =>
            line.TrimStart().StartsWith("// \"", StringComparison.Ordinal) ? line.Replace("// ", "", StringComparison.Ordinal) : line));

        // Its users have the secret of the example, which is the listener's: that is the one thing it may not be copied with.
        Assert.Equal(["listeners[0].users[0].secret"], LoadedConfiguration.Load(text, ".", []).Errors.Select(error => error.Key));
    }

    [Fact]
    public void The_schema_allows_no_key_that_the_proxy_refuses()
    {
        var sections = new List<JsonObject>();
        Collect(JsonNode.Parse(ConfigurationSchema.Text())!, sections);

        // root, listener, user, rate, quota, proxyProtocol, web, backend, direct, middle, backpressure, cover,
        // fakeTls, timeWindow, perSniSecrets, replay, policy, limits, health, timeouts, admin, telemetry, alerts
        Assert.Equal(23, sections.Count);
        Assert.All(sections, section => Assert.False(section["additionalProperties"]!.GetValue<bool>()));
        Assert.All(
            sections.SelectMany(section => section["properties"]!.AsObject()),
            property => Assert.NotNull(property.Value!["description"]));
    }

    private static void Collect(JsonNode node, List<JsonObject> sections)
    {
        if (node is not JsonObject schema) return;
        if (schema.ContainsKey("properties")) sections.Add(schema);
        foreach (var (_, child) in schema["properties"] as JsonObject ?? []) Collect(child!, sections);
        if (schema["items"] is { } items) Collect(items, sections);
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Portico.slnx")))
            directory = directory.Parent ?? throw new InvalidOperationException("the tests do not run inside the repository");
        return directory.FullName;
    }
}
