using System.Xml.Linq;
using Portico.TestKit;
using Xunit;

namespace Portico.Core.Tests;

/// <summary>A project is a wall (docs/architecture.md): who may use whom is read from the project files themselves.</summary>
public sealed class ProjectArrowTests
{
    /// <summary>Everything a project may refer to, itself left out.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Portico.Protocol"] = [],
        ["Portico.Core"] = ["Portico.Protocol"],
        ["Portico.Storage"] = ["Portico.Core", "Portico.Protocol"],
        ["Portico.Admin"] = ["Portico.Core", "Portico.Protocol"],
        ["Portico.Web"] = ["Portico.Core", "Portico.Protocol"],
        ["Portico.Cluster"] = ["Portico.Core", "Portico.Protocol"],
        ["Portico"] = ["Portico.Storage", "Portico.Admin", "Portico.Web", "Portico.Cluster", "Portico.Core", "Portico.Protocol"],
    };

    public static TheoryData<string> EverySourceProject => [.. ProjectFiles().Select(file => Path.GetFileNameWithoutExtension(file))];

    [Theory]
    [MemberData(nameof(EverySourceProject))]
    public void A_source_project_refers_only_to_projects_below_it(string name)
    {
        Assert.True(Allowed.TryGetValue(name, out var allowed), $"{name} has no place in the order of projects yet");
        Assert.Subset(
            allowed.ToHashSet(),
            References(name, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path)).ToHashSet());
    }

    [Fact]
    public void Protocol_refers_to_nothing_but_the_base_class_library()
    {
        string[] kinds = ["PackageReference", "FrameworkReference", "ProjectReference", "Reference"];
        Assert.Empty(kinds.SelectMany(kind => References("Portico.Protocol", kind)));
        Assert.Equal("Microsoft.NET.Sdk", (string?)Project("Portico.Protocol").Attribute("Sdk"));
    }

    [Fact]
    public void Core_refers_to_no_package_beyond_the_shared_framework() => Assert.Empty(References("Portico.Core", "PackageReference"));

    private static IEnumerable<string> ProjectFiles() =>
        Directory.EnumerateFiles(
            Path.Combine(RepositoryRoot.Path, "src"), "*.csproj",
            new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 });

    private static XElement Project(string name) =>
        XDocument.Load(ProjectFiles().Single(file => Path.GetFileNameWithoutExtension(file) == name)).Root!;

    private static IEnumerable<string> References(string project, string kind) =>
        Project(project).Descendants(kind).Select(item => ((string?)item.Attribute("Include") ?? "").Replace('\\', '/'));
}
