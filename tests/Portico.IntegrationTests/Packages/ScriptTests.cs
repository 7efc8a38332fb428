using Portico.TestKit;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Packages;

/// <summary>The scripts of deploy/, read by a program that knows what goes wrong in shell scripts.</summary>
public sealed class ScriptTests
{
    private const string ShellCheck = "shellcheck";

    private static readonly string Deploy = Path.Combine(RepositoryRoot.Path, "deploy");

    [ToolFact(ShellCheck)]
    public async Task shellcheck_finds_nothing_to_say_about_the_scripts()
    {
        var scripts = Directory.EnumerateFiles(Deploy, "*", SearchOption.AllDirectories).Where(IsShell).ToArray();
        Assert.True(scripts.Length > 6);

        var (code, output, errors) = await Programs.RunAsync(
            ShellCheck, ["--external-sources", "--source-path", RepositoryRoot.Path, .. scripts]);

        Assert.Equal((0, "", ""), (code, output, errors));
    }

    private static bool IsShell(string path) =>
        path.EndsWith(".sh", StringComparison.Ordinal)
        || (File.ReadLines(path).FirstOrDefault() is { } first && first.StartsWith("#!", StringComparison.Ordinal)
            && first.EndsWith("sh", StringComparison.Ordinal));
}
