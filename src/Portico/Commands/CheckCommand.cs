using System.CommandLine;
using Portico.Configuration;

namespace Portico.Commands;

/// <summary><c>portico check</c>: is the configuration right, and what is in force?</summary>
internal static class CheckCommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new Command("check", "Check the configuration and print what is in force, secrets left out.");
        command.SetAction(parsed =>
        {
            var (loaded, file) = ConfigurationReport.Need(parsed.GetValue(common.Config));
            var output = parsed.InvocationConfiguration;
            output.Error.WriteLine($"{file.Path}: no errors");
            foreach (var warning in loaded.Warnings) output.Error.WriteLine($"warning: {warning}");
            output.Output.WriteLine(RedactedConfiguration.ToJson(loaded.Options));
            return ExitCode.Ok;
        });
        return command;
    }
}
