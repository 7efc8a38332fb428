using Portico.TestKit;
using Xunit;

namespace Portico.IntegrationTests.Commands;

public sealed class FormsOfTheExecutableTests
{
    private static readonly string[] Starters = ["PorticoProcess.", "ProxyProcess.", "PorticoExecutable.Command"];

    [Fact]
    public void Every_class_that_starts_the_executable_is_run_on_both_forms()
    {
        var folder = Path.Combine(RepositoryRoot.Path, "tests", "Portico.IntegrationTests");
        var starters = Directory.EnumerateFiles(folder, "*Tests.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(path => (Name: Path.GetFileName(path), Text: File.ReadAllText(path)))
            .Where(file => file.Name != nameof(FormsOfTheExecutableTests) + ".cs" && Starts(file.Text))
            .ToArray();

        Assert.Contains(starters, file => file.Name == "RunCommandTests.cs");
        Assert.Equal([], starters.Where(file => !file.Text.Contains("[Trait(PorticoExecutable.Trait, ", StringComparison.Ordinal))
            .Select(file => file.Name));
    }

    private static bool Starts(string text) => Starters.Any(name => text.Contains(name, StringComparison.Ordinal));
}
