using System.CommandLine;
using Portico.Commands;
using Portico.Core.Net;
using Portico.Hosting;
using Portico.Import;
using Portico.Manual;
using Portico.Moving;
using Portico.Questions;

namespace Portico;

/// <summary>The command line: what was typed becomes one command, what the command says becomes an exit code.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        ProcessLimits.ForbidDumps(); // before the first secret is read, and while there is one thread of ours
        StandardStreams.Claim();
        var parsed = CommandLine().Parse(arguments);
        if (CommandLineErrors.Of(parsed) is { Count: > 0 } errors)
        {
            foreach (var error in errors) Complain(error);
            Complain("`portico --help` shows what there is");
            return ExitCode.BadConfiguration;
        }

        try
        {
            // Signals are the business of `run`, and an exception that nobody expected shall show its stack trace.
            return await parsed.InvokeAsync(
                new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
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
            Ping.PingCommand.Create(),
            Doctor.DoctorCommand.Create(common),
            StatusCommand.Create(common),
            SessionsCommand.Create(common),
            UsersCommand.Create(common),
            Users.UserCommand.Create(common),
            ReloadCommand.Create(common),
            UpgradeCommand.Create(common),
            HealthcheckCommand.Create(common),
            ExportCommand.Create(common),
            ImportCommand.Create(common),
            ImportConfigCommand.Create(),
            CompletionCommand.Create(),
            ManCommand.Create(),
            DocsCommand.Create(),
        };
        common.AddTo(root);
        run.AddTo(root);
        return root;
    }

    private static void Complain(string message) => Console.Error.WriteLine($"portico: {message}");
}
