using Xunit;

namespace Portico.IntegrationTests.Commands;

/// <summary>A command line that cannot be run: exit code 2, and words that help.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public class CommandLineErrorTests
{
    [Theory]
    [InlineData("chek --help", "there is no command \"chek\"; did you mean check?")]
    [InlineData("shutdown --help", "there is no command \"shutdown\"")]
    [InlineData("lnik", "there is no command \"lnik\"; did you mean link?")]
    [InlineData("--prot 443", "there is no option \"--prot\"; did you mean --port?")]
    [InlineData("link --usr=alice", "there is no option \"--usr\"; did you mean --user?")]
    [InlineData("check --log-leevl debug", "there is no option \"--log-leevl\"; did you mean --log-level?")]
    [InlineData("--port abc", "--port needs a whole number, not \"abc\"")]
    [InlineData("--port 443.5", "--port needs a whole number, not \"443.5\"")]
    [InlineData("--port", "--port needs a value")]
    [InlineData("--log-level debgu", "--log-level: \"debgu\" is not one of debug, error, info, trace, warn; did you mean debug?")]
    [InlineData("secret more", "secret takes no \"more\"")]
    public async Task It_says_in_plain_words_what_is_wrong_and_what_was_probably_meant(string line, string said)
    {
        using var directory = new TemporaryDirectory();

        var (code, output, errors) = await PorticoProcess.RunAsync(directory.Path, line.Split(' '));

        Assert.Equal((2, ""), (code, output));
        Assert.Equal([$"portico: {said}", "portico: `portico --help` shows what there is"], errors.TrimEnd().Split('\n'));
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    [Theory]
    [InlineData("--mode", "midle", "did you mean \"middle\"?")]
    [InlineData("--protocol", "fake-tsl", "did you mean \"fake-tls\"?")]
    public async Task A_value_of_the_configuration_is_guessed_too(string option, string value, string said)
    {
        using var directory = new TemporaryDirectory();

        var (code, _, errors) = await PorticoProcess.RunAsync(directory.Path, [option, value]);

        Assert.Equal(2, code);
        Assert.Contains(said, errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("link --help")]
    public async Task Help_of_what_exists_is_exit_code_0(string line)
    {
        using var directory = new TemporaryDirectory();

        var (code, output, errors) = await PorticoProcess.RunAsync(directory.Path, line.Split(' '));

        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("Usage:", output, StringComparison.Ordinal);
    }
}
