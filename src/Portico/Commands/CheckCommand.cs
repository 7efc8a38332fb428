using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Portico.Configuration;
using Portico.Core.Background;
using Portico.Core.Options;

namespace Portico.Commands;

/// <summary><c>portico check</c>: is the configuration right, and what is in force?</summary>
internal static class CheckCommand
{
    private static readonly TimeSpan PatienceForNames = TimeSpan.FromSeconds(5);

    public static Command Create(CommonOptions common)
    {
        var command = new Command("check", "Check the configuration and print what is in force, secrets left out.");
        command.SetAction(parsed =>
        {
            var (loaded, file) = ConfigurationReport.Need(parsed.GetValue(common.Config));
            if (loaded.Settings is { } settings && DataDirectoryVersion.ProblemOf(settings.DataDirectory) is { } problem)
                throw ConfigurationReport.Wrong(file.Path, [new ConfigurationError("dataDirectory", problem)]);
            var output = parsed.InvocationConfiguration;
            output.Error.WriteLine($"{file.Path}: no errors");
            if (file.Warning() is { } readable) output.Error.WriteLine($"warning: {readable}");
            if (UnresolvedCover(loaded.Settings) is { } unresolved)
                output.Error.WriteLine($"warning: {unresolved}");
            foreach (var warning in loaded.Warnings) output.Error.WriteLine($"warning: {warning}");
            output.Output.WriteLine(RedactedConfiguration.ToJson(loaded.Options));
            return ExitCode.Ok;
        });
        return command;
    }

    // Only here: a start must not depend on a name server, which may come up after it.
    private static ConfigurationError? UnresolvedCover(ProxySettings? settings)
    {
        if (settings?.Cover is not { Mode: CoverMode.Fixed, Target.Host: { } host }) return null;
        try
        {
            if (Dns.GetHostAddressesAsync(host).WaitAsync(PatienceForNames).GetAwaiter().GetResult().Length > 0)
                return null;
        }
        catch (Exception problem) when (problem is SocketException or TimeoutException)
        {
            // Told below.
        }

        return new(
            "cover.target",
            $"{ShownText.Quote(host)} has no address that this machine can find: every stranger would be closed without a byte");
    }
}
