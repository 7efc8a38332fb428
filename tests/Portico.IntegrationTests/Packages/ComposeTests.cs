using System.Text.RegularExpressions;
using Portico.IntegrationTests.Commands;
using Portico.TestKit;
using Xunit;

namespace Portico.IntegrationTests.Packages;

/// <summary>The variables that the compose file with a cover sets are a configuration with which a first start comes about.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed partial class ComposeTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_first_start_with_the_variables_of_the_compose_file_has_the_site_as_its_cover()
    {
        var file = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "deploy", "container", "compose.cover.yml"));
        var variables = Variables().Matches(file).ToDictionary(
            match => match.Groups["name"].Value,
            match => DomainOfUser().Replace(match.Groups["value"].Value.Trim('"'), "www.example.com"));
        Assert.Equal("443", variables["PORTICO__listeners__0__port"]);
        variables["PORTICO__listeners__0__port"] = "0"; // whoever runs this may not listen below 1024

        await using var portico = PorticoProcess.Start(_directory.Path, [], variables);
        await portico.LineAsync("tg://");

        Assert.DoesNotContain("NoCover", portico.Said(), StringComparison.Ordinal);
        var (code, inForce, errors) = await PorticoProcess.RunAsync(_directory.Path, ["check"], variables);
        Assert.True(code == 0, errors);
        Assert.Contains("127.0.0.1:9443", inForce, StringComparison.Ordinal);
    }

    [GeneratedRegex("^ +(?<name>PORTICO__\\w+): (?<value>.+)$", RegexOptions.Multiline)]
    private static partial Regex Variables();

    [GeneratedRegex(@"\$\{DOMAIN:[^}]*\}")]
    private static partial Regex DomainOfUser();
}
