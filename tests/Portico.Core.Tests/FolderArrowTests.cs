using System.Text.RegularExpressions;
using Portico.Core.Tests.Docs;
using Xunit;

namespace Portico.Core.Tests;

/// <summary>A folder of Core is a floor (docs/architecture.md): a file may use its own floor and those below it.</summary>
public sealed partial class FolderArrowTests
{
    private const string Core = "src/Portico.Core";

    private const string Root = "";

    /// <summary>From the top. The root builds the parts, so it may use everything and nothing may use it.</summary>
    private static readonly string[] Floors =
    [
        Root, "Control", "Clients", "Web", "Backends", "Handshake", "Cover", "Sessions",
        "Admission", "Telegram", "Options", "Users", "Diagnostics", "Background", "Net",
    ];

    [Fact]
    public void Every_folder_of_Core_has_its_floor()
    {
        var folders = Sources().Select(FloorOf).Distinct().ToList();

        Assert.Empty(folders.Except(Floors));
        Assert.True(folders.Count > 10, "the sources were not found");
    }

    [Fact]
    public void A_file_uses_only_its_own_floor_and_those_below()
    {
        var upwards = Sources().SelectMany(file => Used(file).Where(floor => Index(floor) < Index(FloorOf(file)))
            .Select(floor => $"{FloorOf(file)} -> {floor}: {Path.GetFileName(file)}"));

        Assert.Empty(upwards.Distinct());
    }

    [Fact]
    public void Nothing_below_names_a_type_of_the_root()
    {
        var types = Sources().Where(file => FloorOf(file) == Root)
            .SelectMany(file => Declaration().Matches(Repository.Read(file))).Select(match => match.Groups["name"].Value).ToList();
        var named = new Regex($@"\b(?:{string.Join('|', types)})\b", RegexOptions.None, TimeSpan.FromSeconds(10));
        var users = Sources().Where(file => FloorOf(file) != Root && Code(file).Any(line => named.IsMatch(line)));

        Assert.NotEmpty(types);
        Assert.Empty(users);
    }

    private static IEnumerable<string> Sources() => Repository.Files(".cs", Core);

    private static int Index(string floor) => Array.IndexOf(Floors, floor);

    private static string FloorOf(string file)
    {
        var parts = Path.GetRelativePath(Core, file).Split('/');
        return parts.Length == 1 ? Root : parts[0];
    }

    // By its using lines, and by names that begin with a folder: those need no using line.
    private static IEnumerable<string> Used(string file)
    {
        var text = Repository.Read(file);
        var used = Using().Matches(text).Select(match => match.Groups["folder"].Value);
        var named = Code(file).SelectMany(line => Qualified().Matches(line))
            .Select(match => match.Groups["folder"].Value).Where(folder => Index(folder) > 0);
        return used.Concat(named).Where(floor => floor != FloorOf(file));
    }

    // Without comments: they may point upwards.
    private static IEnumerable<string> Code(string file) =>
        Repository.Read(file).Split('\n').Where(line => !Comment().IsMatch(line)).Select(line => line.Split(" // ")[0]);

    [GeneratedRegex(@"^using (?:static )?(?:\w+ = )?Portico\.Core\.(?<folder>\w+)", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex(@"(?<![\w.""])(?:Portico\.)?(?:Core\.)?(?<folder>[A-Z]\w+)\.(?:\w+\.)?[A-Z]\w+\b(?!;)")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"^\s*//")]
    private static partial Regex Comment();

    [GeneratedRegex(
        @"^(?:public |internal )(?:static |sealed |partial |readonly )*"
            + @"(?:class|struct|interface|enum|record struct|record) (?<name>\w+)",
        RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
