using System.CommandLine;

namespace Portico.SelfTest;

/// <summary><c>portico selftest</c> on the command line.</summary>
internal static class SelfTestCommand
{
    /// <summary>The command with its options; exit code 0 if every check passed, else 1.</summary>
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object instead of a table." };
        var command = new Command("selftest", "Check on loopback that this build relays: every transport, backend and engine. Needs no network and no configuration.") { json };
        command.SetAction((arguments, cancel) =>
            SelfTestRun.RunAsync(arguments.InvocationConfiguration.Output, arguments.GetValue(json), new SelfTestOptions(), cancel));
        return command;
    }
}
