using System.Text.RegularExpressions;
using Portico.Core.Tests.Docs;
using Xunit;

namespace Portico.Core.Tests;

/// <summary>
/// How long a line may be: two files beside each other, a review and a diff are to show it whole
/// (max_line_length in .editorconfig, docs/style.md). The formatter does not look at that.
/// </summary>
public sealed partial class LineLengthTests
{
    private const int MostOfCode = 140, MostOfOneLineIf = 100, MostOfProse = 120;

    // What other servers' users wrote.
    private const string Foreign = "tests/Portico.IntegrationTests/Import/Files/";

    private static readonly string[] OtherKinds =
        [".py", ".sh", ".c", ".h", ".csproj", ".props", ".targets", ".runsettings", ".yml", ".cjs", ".mjs", ".js"];

    [Fact]
    public void No_line_of_code_is_too_long() =>
        AssertNone(Sources(), lines => TooLong(lines, MostOfCode, _ => true));

    [Fact]
    public void No_line_of_a_script_or_of_the_build_is_too_long() =>
        AssertNone(Others(), lines => TooLong(lines, MostOfCode, _ => true));

    [Fact]
    public void The_statement_of_a_long_if_stands_on_its_own_line() =>
        AssertNone(Sources(), lines => TooLong(lines, MostOfOneLineIf, line => OneLineIf().IsMatch(line)));

    [Fact]
    public void No_line_of_a_document_is_too_long() =>
        AssertNone(Repository.Files(".md"), lines => TooLong(WithoutCode(lines), MostOfProse, line => !Unbreakable().IsMatch(line)));

    [Theory]
    [InlineData("        if (one) two();")]
    [InlineData("        else if (one) return;")]
    [InlineData("        if (one) return; // why")]
    public void A_one_line_if_is_known(string line) => Assert.Matches(OneLineIf(), line);

    [Theory]
    [InlineData("        if (one)")]
    [InlineData("        two();")]
    [InlineData("        // if (one) two();")]
    public void Other_lines_are_none(string line) => Assert.DoesNotMatch(OneLineIf(), line);

    [Theory]
    [InlineData("| a row of a table |")]
    [InlineData("https://example.org/a")]
    [InlineData("- [a link](https://example.org/a)")]
    [InlineData("[name]: https://example.org/a")]
    public void Tables_and_links_cannot_be_broken(string line) => Assert.Matches(Unbreakable(), line);

    [Fact]
    public void Prose_can_be_broken_even_around_a_link() =>
        Assert.DoesNotMatch(Unbreakable(), "See [a link](https://example.org/a) and what comes after it.");

    private static List<string> Sources()
    {
        var files = Repository.Files(".cs").ToList();
        Assert.True(files.Count > 100, "the sources were not found");
        return files;
    }

    private static List<string> Others()
    {
        // Hidden folders are left out unless they are asked for.
        var files = Repository.Files("").Concat(Repository.Files("", ".ci")).Concat(Repository.Files("", ".githooks"))
            .Where(file => !file.StartsWith(Foreign, StringComparison.Ordinal))
            .Where(file => OtherKinds.Contains(Path.GetExtension(file)) || IsScript(file))
            .ToList();
        Assert.True(files.Count > 100, "the scripts were not found");
        Assert.Contains("check", files);
        return files;
    }

    // One whose name does not say so: its first line names who runs it.
    private static bool IsScript(string file)
    {
        if (Path.HasExtension(file)) return false;
        using var stream = File.OpenRead(Path.Combine(Repository.Root, file));
        return stream.ReadByte() == '#' && stream.ReadByte() == '!';
    }

    private static void AssertNone(IEnumerable<string> files, Func<IEnumerable<(string Text, int Number)>, IEnumerable<string>> select)
    {
        var found = files.SelectMany(file => select(Lines(file)).Select(line => $"{file}:{line}")).ToList();
        Assert.True(found.Count == 0, $"{found.Count} lines are too long:\n{string.Join('\n', found)}");
    }

    private static IEnumerable<(string Text, int Number)> Lines(string file) =>
        Repository.Read(file).Split('\n').Select((text, index) => (text.TrimEnd('\r'), index + 1));

    private static IEnumerable<string> TooLong(IEnumerable<(string Text, int Number)> lines, int most, Func<string, bool> counts) =>
        lines.Where(line => line.Text.Length > most && counts(line.Text))
            .Select(line => $"{line.Number}: {line.Text.Length} columns instead of {most}");

    // Neither between fences nor indented by four behind an empty line.
    private static IEnumerable<(string Text, int Number)> WithoutCode(IEnumerable<(string Text, int Number)> lines)
    {
        var (isFenced, isIndented, wasEmpty) = (false, false, true);
        foreach (var line in lines)
        {
            var isFence = line.Text.TrimStart().StartsWith("```", StringComparison.Ordinal);
            if (isFence) isFenced = !isFenced;
            isIndented = (isIndented || wasEmpty) && line.Text.StartsWith("    ", StringComparison.Ordinal);
            wasEmpty = line.Text.Length == 0;
            if (!isFence && !isFenced && !isIndented) yield return line;
        }
    }

    [GeneratedRegex(@"^\s*(?:else )?if \(.*;\s*(?://.*)?$")]
    private static partial Regex OneLineIf();

    // A row of a table, or a line that is nothing but a link or an address.
    [GeneratedRegex(@"^\s*\||^\s*(?:[-*] |\d+\. )?(?:!?\[[^\]]*\]\([^)]*\)|<?https?://\S+|\[[^\]]+\]:\s+\S+)[.,;:]?$")]
    private static partial Regex Unbreakable();
}
