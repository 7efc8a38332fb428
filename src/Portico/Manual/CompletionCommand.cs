using System.CommandLine;
using Portico.Commands;

namespace Portico.Manual;

/// <summary><c>portico completion</c>: commands, options and values, for the Tab key.</summary>
internal static class CompletionCommand
{
    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command(
            "completion", "Print what lets a shell complete commands, options and values; its first lines say where to.")
        { shell };
        command.SetAction(parsed =>
        {
            var words = CommandWords.Of(parsed.RootCommandResult.Command);
            parsed.InvocationConfiguration.Output.Write(parsed.GetRequiredValue(shell) switch
            {
                "bash" => BashCompletion.Text(words),
                "zsh" => ZshCompletion.Text(words),
                _ => FishCompletion.Text(words),
            });
            return ExitCode.Ok;
        });
        return command;
    }
}
