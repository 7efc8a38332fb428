using System.CommandLine;
using System.Globalization;

namespace Portico.SelfTest;

/// <summary><c>portico selftest</c> on the command line.</summary>
internal static class SelfTestCommand
{
    private const string Meaning = "Check on loopback that this build relays: every transport and carrier, backend and engine. "
        + "Needs no network and no configuration.";

    private const int MostSeconds = 3600;

    /// <summary>The command with its options; exit code 0 if every check passed, else 1.</summary>
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object instead of a table." };
        var deadline = new Option<int>("--deadline")
        {
            Description = "Seconds that each check has: more on a slow machine or in an emulator.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => (int)new SelfTestOptions().Deadline.TotalSeconds,
        };
        deadline.Validators.Add(result =>
        {
            // what is no number at all has its own error by now
            if (result.Tokens is [var written]
                && int.TryParse(written.Value, CultureInfo.InvariantCulture, out var seconds)
                && seconds is < 1 or > MostSeconds)
                result.AddError($"--deadline needs seconds from 1 to {MostSeconds}, for example --deadline 60");
        });
        var command = new Command("selftest", Meaning) { json, deadline };
        command.SetAction((arguments, cancel) =>
        {
            var options = new SelfTestOptions { Deadline = TimeSpan.FromSeconds(arguments.GetValue(deadline)) };
            return SelfTestRun.RunAsync(arguments.InvocationConfiguration.Output, arguments.GetValue(json), options, cancel);
        });
        return command;
    }
}
