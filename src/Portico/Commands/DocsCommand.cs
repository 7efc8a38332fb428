using System.CommandLine;
using Portico.Configuration;

namespace Portico.Commands;

/// <summary>
/// <c>portico docs</c>, not shown in help: rewrites the files that are
/// generated from the options. A test names it when they are out of date.
/// </summary>
internal static class DocsCommand
{
    public static Command Create()
    {
        var directory = new Argument<string>("directory") { Description = "Where to write.", DefaultValueFactory = _ => "docs" };
        var command = new Command("docs", "Write what is generated of docs/.") { directory };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            var target = parsed.GetRequiredValue(directory);
            foreach (var (name, text) in GeneratedFiles.All())
            {
                var path = Path.Combine(target, name);
                FileFailure.Guard(() => { File.WriteAllText(path, text); return true; }, "write", path, "name a directory that exists");
                parsed.InvocationConfiguration.Output.WriteLine(path);
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
