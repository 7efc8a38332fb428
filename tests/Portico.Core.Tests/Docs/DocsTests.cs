using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Xunit;

namespace Portico.Core.Tests.Docs;

/// <summary>Documents promise names; these hold them against the code. A failure lists everything that is wrong at once.</summary>
public sealed partial class DocsTests
{
    public static TheoryData<string> Documents => [.. Repository.Files(".md")];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_lead_to_files_and_headings_that_exist(string document)
    {
        var folder = Path.GetDirectoryName(document)!;
        var broken = new List<string>();
        foreach (Match link in Link().Matches(WithoutCode(Repository.Read(document))))
        {
            var target = link.Groups["target"].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
                continue;
            var (path, heading) = target.Split('#') is [var before, var after] ? (before, after) : (target, null);
            var file = path.Length == 0
                ? document
                : Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, folder, path)));
            if (!Repository.Has(file)) broken.Add($"{target}: no such file");
            else if (heading is not null && !Headings(file).Contains(heading))
                broken.Add($"{target}: no such heading");
        }

        Assert.Empty(broken);
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Paths_named_in_a_document_exist(string document)
    {
        var missing = NamedPath().Matches(Repository.Read(document))
            .Select(match => match.Groups["path"].Value).Where(path => !Repository.Has(path)).Distinct();

        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Source_files_named_in_a_document_exist(string document)
    {
        var sources = Repository.Files(".cs").ToList();
        var missing = NamedSource().Matches(Repository.Read(document)).Select(match => match.Value)
            .Where(name => !sources.Any(source => source.EndsWith("/" + name, StringComparison.Ordinal))).Distinct();

        Assert.Empty(missing);
    }

    [Fact]
    public void Tests_that_the_threat_model_names_exist()
    {
        var sources = Repository.Files("Tests.cs", "tests").ToList();
        var named = NamedTest().Matches(Repository.Read("docs/threat-model.md")).ToList();
        var missing = named.Where(test => !sources.Any(source => IsIn(test, source))).Select(test => test.Value).Distinct();

        Assert.NotEmpty(named);
        Assert.Empty(missing);

        static bool IsIn(Match test, string source) =>
            source.EndsWith($"/{test.Groups["class"].Value}.cs", StringComparison.Ordinal)
            && (test.Groups["method"] is not { Success: true } method
                || Repository.Read(source).Contains($" {method.Value}(", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_instrument_is_a_row_of_metrics_md_with_its_prometheus_name()
    {
        var rows = Repository.Read("docs/metrics.md").Split('\n');
        var instruments = PublishedMetrics.Read().Instruments.ToList();

        Assert.NotEmpty(instruments);
        Assert.All(instruments, i => Assert.Contains(
            rows, row => row.StartsWith($"| `{i.Name}` | `{PublishedMetrics.PrometheusName(i)}` |", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_close_reason_is_a_row_of_metrics_md_with_its_side_and_level()
    {
        var rows = Repository.Read("docs/metrics.md").Split('\n');

        Assert.All(Enum.GetValues<CloseReason>().Select(RowBeginning), beginning => Assert.Contains(
            rows, row => row.StartsWith(beginning, StringComparison.Ordinal)));
    }

    [Fact]
    public void Reasons_in_the_protocol_table_all_have_the_side_and_level_that_stands_above_it()
    {
        Assert.All(Enum.GetValues<CloseReason>().Where(reason => reason.IsProtocolError()), reason => Assert.Equal(
            (GuiltySide.Client, LogLevel.Debug), (reason.Side(), reason.Level())));
    }

    [Theory]
    [InlineData("dotnet run -c Release --project src/Portico")]
    [InlineData("dotnet test -c Release")]
    public void Readme_shows_the_command_on_a_line_of_its_own(string command)
    {
        Assert.Contains(Repository.Read("README.md").Split('\n'), line => line == "    " + command);
    }

    [Fact]
    public void What_the_readme_says_to_work_exists()
    {
        var sources = string.Concat(Repository.Files(".cs", "src").Concat(Repository.Files(".csproj", "src")).Select(Repository.Read));
        var schema = Repository.Read("docs/portico.schema.json");
        var named = StatusRow().Matches(Repository.Read("README.md")).Select(row => row.Groups["name"].Value).ToList();

        Assert.True(named.Count > 10);
        Assert.Equal([], named.Where(name => !Exists(name)));

        bool Exists(string name) => name.StartsWith("portico ", StringComparison.Ordinal)
            ? Regex.IsMatch(sources, $"new Command\\(\\s*\"{name["portico ".Length..]}\"")
            : Regex.IsMatch(sources, $"(class|record|struct|enum) {name}\\b|<{name}>")
                || schema.Contains($"\"{name}\": {{", StringComparison.Ordinal);
    }

    [Fact]
    public void Types_of_the_glossary_exist()
    {
        var sources = string.Concat(Repository.Files(".cs", "src").Select(Repository.Read));
        var named = GlossaryRow().Matches(Repository.Read("docs/glossary.md"))
            .SelectMany(row => CodeWord().Matches(row.Groups["types"].Value)).Select(word => word.Groups["word"].Value).ToList();

        Assert.True(named.Count >= 20);
        Assert.Equal([], named.Where(name => !Regex.IsMatch(sources, $"(class|record|struct|enum|interface) {name}\\b")));
    }

    [Fact]
    public void Steps_of_the_session_have_the_same_numbers_in_code_and_architecture()
    {
        var code = StepInCode().Matches(Repository.Read("src/Portico.Core/Clients/ClientSession.cs"))
            .Select(match => match.Groups["number"].Value);
        var document = StepInDocument().Matches(Repository.Read("docs/architecture.md")).Select(match => match.Groups["number"].Value);

        Assert.Equal(["0", "1", "2", "3", "4", "5", "6"], code);
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6"], document.Order().Distinct());
    }

    [Fact]
    public void Sections_named_in_comments_are_translated_by_the_protocol_index()
    {
        var index = Repository.Read("docs/protocol/README.md");
        var named = Repository.Files(".cs").SelectMany(file => Section().Matches(Repository.Read(file))).ToList();

        Assert.NotEmpty(named);
        Assert.All(named.Select(IndexRow).Distinct(), row => Assert.Contains(row, index, StringComparison.Ordinal));
    }

    [Fact]
    public void Log_event_ids_are_used_once()
    {
        var ids = Repository.Files(".cs", "src")
            .SelectMany(file => EventId().Matches(Repository.Read(file)).Select(match => (Id: match.Groups["id"].Value, file))).ToList();

        Assert.NotEmpty(ids);
        Assert.Empty(ids.GroupBy(id => id.Id)
            .Where(group => group.Count() > 1).Select(group => $"{group.Key}: {string.Join(", ", group.Select(id => id.file))}"));
    }

    [Fact]
    public void Decision_records_are_numbered_once_and_listed()
    {
        var index = Repository.Read("docs/adr/README.md");
        var records = Repository.Files(".md", "docs/adr").Select(Path.GetFileName).Where(name => name != "README.md").ToList();

        Assert.Equal(records.Count, records.Select(name => name![..4]).Distinct().Count());
        Assert.All(records, name => Assert.Contains($"]({name})", index, StringComparison.Ordinal));
    }

    private static string RowBeginning(CloseReason reason) => reason.IsProtocolError()
        ? $"| `{reason.Tag()}` |"
        : $"| `{reason.Tag()}` | {reason.Side().Tag()} | {reason.Level().ToString().ToLowerInvariant()} |";

    private static string IndexRow(Match section)
    {
        var file = section.Groups["file"].Value;
        return section.Groups["section"] is { Success: true } number && file != "03"
            ? $"| spec/{file} section {number.Value} |"
            : $"| spec/{file}";
    }

    private static string WithoutCode(string text) =>
        InlineCode().Replace(CodeBlock().Replace(text, ""), match => match.Value.Contains("](", StringComparison.Ordinal) ? "" : "code");

    private static HashSet<string> Headings(string file) =>
        [.. Heading().Matches(CodeBlock().Replace(Repository.Read(file), "")).Select(match => Anchor(match.Groups["text"].Value))];

    // As code hosts make anchors: lower case, letters, digits and hyphens kept, blanks become hyphens.
    private static string Anchor(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(?<path>(?:src|tests|docs|bench|deploy)/[A-Za-z0-9_./-]+)`")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"(?<![\w./])(?:[A-Z]\w*/)*[A-Z]\w*\.cs\b")]
    private static partial Regex NamedSource();

    // A class, with its folder where two have the name, and perhaps a method of it.
    [GeneratedRegex(@"`(?<class>(?:\w+/)?\w+Tests)(?:\.(?<method>\w+))?`")]
    private static partial Regex NamedTest();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("`[^`\n]+`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^ +// (?<number>\d)\. ", RegexOptions.Multiline)]
    private static partial Regex StepInCode();

    [GeneratedRegex(@"^(?<number>\d)\. \*\*", RegexOptions.Multiline)]
    private static partial Regex StepInDocument();

    [GeneratedRegex(@"spec/(?<file>\d\d)(?: sections? (?<section>\d+))?")]
    private static partial Regex Section();

    [GeneratedRegex(@"EventId = (?<id>\d+)")]
    private static partial Regex EventId();

    // A row of three columns whose last is one name in backticks.
    [GeneratedRegex(@"^\| [^|\n]+ \| works?[^|\n]* \| `(?<name>[^`|\n]+)` \|$", RegexOptions.Multiline)]
    private static partial Regex StatusRow();

    [GeneratedRegex(@"^\| [^|\n]+ \| [^|\n]+ \| (?<types>`[^|\n]+`) \|$", RegexOptions.Multiline)]
    private static partial Regex GlossaryRow();

    [GeneratedRegex("`(?<word>[A-Za-z]+)`")]
    private static partial Regex CodeWord();
}
