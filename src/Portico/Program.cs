using System.CommandLine;
using System.CommandLine.Parsing;
using Portico.Commands;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Hosting;

namespace Portico;

/// <summary>The command line: what was typed becomes one command, what the command says becomes an exit code.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        ProcessLimits.ForbidDumps(); // before the first secret is read, and while there is one thread of ours
        StandardStreams.Claim();
        var parsed = CommandLine().Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) Complain(Describe(error));
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

    // The library's own report would repeat a secret that follows a mistyped option, and does not always name the option.
    private static string Describe(ParseError error)
    {
        var option = error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult;
        var message = string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        var isNamed = option is null || message.Contains(option.Option.Name, StringComparison.Ordinal);
        return ShownText.WithoutSecrets(isNamed ? message : $"{option!.Option.Name}: {message}");
    }

    private static void Complain(string message) => Console.Error.WriteLine($"portico: {message}");
}
