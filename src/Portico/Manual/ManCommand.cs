using System.CommandLine;
using Portico.Commands;

namespace Portico.Manual;

/// <summary><c>portico man</c>: the manual page.</summary>
internal static class ManCommand
{
    public static Command Create()
    {
        var command = new Command("man", "Print the manual page portico(1); `portico man | man -l -` shows it.");
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.Write(ManPage.Text(CommandWords.Of(parsed.RootCommandResult.Command)));
            return ExitCode.Ok;
        });
        return command;
    }
}
