using System.Text.RegularExpressions;
using Portico.TestKit;
using Xunit;

namespace Portico.Storage.Tests;

/// <summary>The folders of Storage are floors, as those of Core: a file uses its own and those below it.</summary>
public sealed partial class FolderArrowTests
{
    /// <summary>From the top. What stands side by side does not know each other.</summary>
    private static readonly Dictionary<string, string[]> Below = new()
    {
        [""] = ["Repair", "Usage", "Schema", "Sqlite"],
        ["Repair"] = ["Schema", "Sqlite"],
        ["Usage"] = ["Sqlite"],
        ["Schema"] = ["Sqlite"],
        ["Sqlite"] = [],
    };

    [Fact]
    public void A_file_uses_only_its_own_floor_and_those_below()
    {
        var root = Path.Combine(RepositoryRoot.Path, "src", "Portico.Storage");
        var files = Below.Keys.SelectMany(floor => Directory.GetFiles(Path.Combine(root, floor), "*.cs"), (floor, file) => (floor, file));
        var upwards = files.SelectMany(
            one => Using().Matches(File.ReadAllText(one.file)).Select(used => used.Groups["floor"].Value)
                .Where(used => used != one.floor && !Below[one.floor].Contains(used))
                .Select(used => $"{one.floor} -> {used}: {Path.GetFileName(one.file)}"));

        Assert.Empty(upwards);
        var folders = Directory.GetDirectories(root).Select(folder => Path.GetFileName(folder));
        Assert.Empty(folders.Except([.. Below.Keys, "bin", "obj"]));
    }

    [GeneratedRegex(@"^using (?:static )?Portico\.Storage\.(?<floor>\w+)", RegexOptions.Multiline)]
    private static partial Regex Using();
}
