using System.Text.RegularExpressions;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Manual;

/// <summary><c>portico completion</c>, asked by the shells that it is for.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed partial class CompletionTests : IAsyncLifetime, IDisposable
{
    // What bash does when Tab is pressed behind the last of these words.
    private const string Press = """
        source portico.bash && complete -p portico > /dev/null || exit 9
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _portico
        printf '%s\n' "${COMPREPLY[@]}"
        """;

    private readonly TemporaryDirectory _directory = new();

    public async Task InitializeAsync()
    {
        foreach (var (shell, name) in ((string, string)[])[("bash", "portico.bash"), ("zsh", "_portico"), ("fish", "portico.fish")])
        {
            var (code, output, errors) = await PorticoProcess.RunAsync(_directory.Path, ["completion", shell]);
            Assert.Equal((0, ""), (code, errors));
            _directory.Write(name, output);
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _directory.Dispose();

    [ToolFact("bash")]
    public async Task Bash_knows_the_completion_and_offers_commands()
    {
        var (code, output, _) = await BashAsync("source portico.bash; complete -p portico");
        Assert.Equal((0, "complete -F _portico portico\n"), (code, output));

        var commands = await PressAsync("portico", "");
        Assert.Contains("run", commands);
        Assert.Contains("import-config", commands);
        Assert.DoesNotContain("docs", commands); // it is hidden
        Assert.Equal(["import", "import-config"], await PressAsync("portico", "im"));
        Assert.Equal(["link"], await PressAsync("portico", "--log-level", "debug", "lin"));
    }

    [ToolFact("bash")]
    public async Task Bash_offers_every_option_that_the_help_of_a_command_has()
    {
        foreach (var command in (await PressAsync("portico", "")).Prepend(""))
        {
            string[] words = command.Length == 0 ? [] : [command];
            var (_, help, _) = await PorticoProcess.RunAsync(_directory.Path, [.. words, "--help"]);
            var options = LongOption().Matches(help).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal).ToArray();
            Assert.Contains("--config", options);

            Assert.Equal(options, (await PressAsync(["portico", .. words, "--"])).Order(StringComparer.Ordinal));
        }
    }

    [ToolFact("bash")]
    public async Task Bash_offers_the_values_that_an_option_or_an_argument_may_have()
    {
        Assert.Equal(["debug", "error", "info", "trace", "warn"], await PressAsync("portico", "--log-level", ""));
        Assert.Equal(["debug"], await PressAsync("portico", "link", "--log-level", "=", "d"));
        Assert.Equal(["json", "text"], await PressAsync("portico", "link", "--log-format", "="));
        Assert.Equal(["fake-tls"], await PressAsync("portico", "run", "--protocol", "f"));
        Assert.Equal(["erlang"], await PressAsync("portico", "import-config", "--from", "e"));
        Assert.Equal(["zsh"], await PressAsync("portico", "completion", "z"));
        Assert.Empty(await PressAsync("portico", "run", "--port", ""));

        // Its value may be left out.
        Assert.Equal(["always", "auto", "never"], await PressAsync("portico", "link", "--qr", ""));
        Assert.Equal(["--user"], await PressAsync("portico", "link", "--qr", "--us"));
    }

    [ToolFact("bash")]
    public async Task Bash_offers_files_whole_and_takes_none_for_a_command()
    {
        _directory.Write("link", "");
        _directory.Write("old proxy.json", "");
        Assert.Equal(["old proxy.json"], await PressAsync("portico", "--config", "old"));
        Assert.Equal(["old proxy.json"], await PressAsync("portico", "import", "old"));
        Assert.Equal(["secret"], await PressAsync("portico", "--config", "link", "sec"));
        Assert.Equal(["--passphrase-file"], await PressAsync("portico", "import", "link", "--pa"));
    }

    [ToolFact("zsh")]
    public async Task Zsh_takes_the_completion()
    {
        var (code, output, errors) = await ShellAsync("zsh", ["-f", "-n", "_portico"]);
        Assert.Equal((0, "", ""), (code, output, errors));

        const string Take = "autoload -U compinit && compinit -D && source ./_portico && whence -w _portico_link && echo $_comps[portico]";
        (code, output, errors) = await ShellAsync("zsh", ["-f", "-c", Take]);
        Assert.Equal((0, "_portico_link: function\n_portico\n", ""), (code, output, errors));
    }

    [ToolFact("fish")]
    public async Task Fish_offers_commands_options_and_values()
    {
        Assert.Equal(["import", "import-config"], await FishAsync("portico im"));
        Assert.Equal(["--server"], await FishAsync("portico link --se"));
        Assert.Equal(["secret"], await FishAsync("portico --log-level debug secr"));
        Assert.Equal(["always", "auto", "never"], await FishAsync("portico link --qr="), StringComparer.Ordinal);
        Assert.Equal(["debug"], await FishAsync("portico link --log-level d"));
        Assert.Equal(["zsh"], await FishAsync("portico completion z"));
        Assert.Empty(await FishAsync("portico check --us"));
    }

    [Fact]
    public async Task A_shell_that_is_not_known_is_an_error_that_names_those_that_are()
    {
        var (code, output, errors) = await PorticoProcess.RunAsync(_directory.Path, ["completion", "tcsh"]);
        Assert.Equal((2, ""), (code, output));
        foreach (var shell in (string[])["tcsh", "bash", "zsh", "fish"]) Assert.Contains(shell, errors, StringComparison.Ordinal);
    }

    private async Task<string[]> PressAsync(params string[] words)
    {
        var (code, output, errors) = await BashAsync(Press, words);
        Assert.Equal((0, ""), (code, errors));
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private Task<(int Code, string Output, string Errors)> BashAsync(string script, params string[] words) =>
        ShellAsync("bash", ["--norc", "--noprofile", "-c", script, "bash", .. words]);

    // What is offered stands in front of its description. A value behind = comes with its option.
    private async Task<string[]> FishAsync(string line)
    {
        var (code, output, errors) = await ShellAsync("fish", ["--no-config", "-c", "source portico.fish; complete -C $argv[1]", line]);
        Assert.Equal((0, ""), (code, errors));
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => line.Split('\t')[0].Split('=')[^1]).Order(StringComparer.Ordinal)];
    }

    private Task<(int Code, string Output, string Errors)> ShellAsync(string shell, string[] arguments) =>
        Programs.RunAsync("env", ["-C", _directory.Path, $"HOME={_directory.Path}", Programs.Get(shell), .. arguments]);

    [GeneratedRegex(@"^  (?:-[^-], )*(--[a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex LongOption();
}
