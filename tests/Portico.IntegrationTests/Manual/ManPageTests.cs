using System.Text.RegularExpressions;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Manual;

/// <summary><c>portico man</c>, as it is written and as it is shown.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed partial class ManPageTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Every_command_and_option_of_the_help_is_in_it()
    {
        var page = await PageAsync();
        foreach (var command in Command().Matches((await HelpAsync()).Split("\nCommands:\n")[1]).Select(match => match.Groups[1].Value))
        {
            Assert.Contains($".SS \"portico {command.Replace("-", "\\-", StringComparison.Ordinal)}", page, StringComparison.Ordinal);
            foreach (var option in Option().Matches(await HelpAsync(command)).Select(match => match.Groups[1].Value))
                Assert.Contains($"\\fB{option.Replace("-", "\\-", StringComparison.Ordinal)}\\fR", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Exit_codes_environment_files_and_signals_are_in_it()
    {
        var page = await PageAsync();
        foreach (var part in (string[])["EXIT STATUS", "ENVIRONMENT", "FILES", "SIGNALS", "EXAMPLES"])
            Assert.Contains($".SH \"{part}\"", page, StringComparison.Ordinal);
        foreach (var term in (string[])["0", "1", "2", "3", "PORTICO_CONFIG", "PORTICO_LOG_LEVEL", "portico.json", "SIGHUP"])
            Assert.Contains($"\n.B {term}\n", page, StringComparison.Ordinal);
    }

    [ToolFact("groff")]
    public async Task It_is_shown_without_a_warning()
    {
        var (code, shown, warnings) = await Programs.RunAsync(
            "groff", ["-man", "-ww", "-Tutf8", "-P-c", "-P-b", "-P-o", "-P-u"], await PageAsync());

        Assert.Equal((0, ""), (code, warnings));
        Assert.Matches(@"(?m)^PORTICO\(1\) ", shown);
        Assert.Matches(@"(?m)^   portico import FILE$", shown);
        Assert.Matches(@"(?m)^       --passphrase-file FILE$", shown); // with the dashes that somebody would type
        Assert.Matches(@"(?m)^       3 +No proxy is running", shown);
        Assert.Contains("source <(portico completion bash)", shown, StringComparison.Ordinal);
    }

    private async Task<string> PageAsync()
    {
        var (code, page, errors) = await PorticoProcess.RunAsync(_directory.Path, ["man"]);
        Assert.Equal((0, ""), (code, errors));
        return page;
    }

    private async Task<string> HelpAsync(params string[] command) =>
        (await PorticoProcess.RunAsync(_directory.Path, [.. command, "--help"])).Output;

    [GeneratedRegex(@"^  ([a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"^  (?:-[^-], )*(--[a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex Option();
}
