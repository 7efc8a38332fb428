using System.CommandLine;
using Portico.Commands;
using Portico.Core.Options;

namespace Portico;

/// <summary>The command line: what was typed becomes one command, what the command says becomes an exit code.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        var parsed = CommandLine().Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            // Not the library's own report: it would repeat a secret that follows a mistyped option.
            foreach (var error in parsed.Errors) Complain(ShownText.WithoutSecrets(error.Message));
            Complain("`portico --help` shows what there is");
            return ExitCode.BadConfiguration;
        }

        try
        {
            // Signals are the business of `run`, and an exception that nobody expected shall show its stack trace.
            return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
        }
        catch (CommandFailure failure)
        {
            Complain(failure.Message);
            return failure.ExitCode;
        }
    }

    private static RootCommand CommandLine()
    {
        var common = new CommonOptions();
        var run = new RunCommand(common, new QuickFlags());
        var root = new RootCommand("Portico, an MTProto proxy for Telegram.")
        {
            run.Create(),
            LinkCommand.Create(common),
            SecretCommand.Create(),
            CheckCommand.Create(common),
            SelfTest.SelfTestCommand.Create(),
            DocsCommand.Create(),
        };
        common.AddTo(root);
        run.AddTo(root);
        return root;
    }

    private static void Complain(string message) => Console.Error.WriteLine($"portico: {message}");
}
