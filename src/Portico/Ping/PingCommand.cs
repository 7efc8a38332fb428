using System.CommandLine;
using System.Globalization;
using Portico.Commands;
using Portico.Protocol.Secrets;
using Portico.SelfTest;

namespace Portico.Ping;

/// <summary><c>portico ping</c> on the command line: does a proxy answer, and how quickly, whoever made it?</summary>
internal static class PingCommand
{
    private const string Meaning = "Connect through a proxy link as an app does, ask each data centre for an answer, and measure. "
        + "Exit code 0 if all of them answered by one protocol.";

    private const int DefaultTimeoutMs = 5000, MostTimeoutMs = 600_000, MostRepeats = 1000;

    // Their negatives are the addresses for media.
    private static readonly short[] DefaultDcs = [1, 2, 3, 4, 5, -1, -2, -3, -4, -5];

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var link = new Argument<string>("URL")
        {
            Description = "'tg://proxy?...' or 'https://t.me/proxy?...', in quotes, as it has & in it.",
        };
        var dcs = new Option<string?>("--dc")
        {
            Description = "Data centres, for example 1,2,-2 (negative: their addresses for media). Without it: 1 to 5 and -1 to -5.",
            HelpName = "LIST",
        };
        var protocols = new Option<string?>("--protocol")
        {
            Description = "Some of fake-tls, secure, intermediate, abridged, with commas. Without it: what the link is for.",
            HelpName = "LIST",
        };
        var timeout = new Option<int>("--timeout")
        {
            Description = "Milliseconds for each of connect, handshake and answer.",
            HelpName = "MS",
            DefaultValueFactory = _ => DefaultTimeoutMs,
        };
        var repeat = new Option<int>("--repeat") { Description = "So many times.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var json = new Option<bool>("--json") { Description = "Print one JSON object instead of tables." };
        var command = new Command("ping", Meaning) { link, dcs, protocols, timeout, repeat, json };
        command.SetAction(async (parsed, cancel) =>
        {
            if (!ProxyLink.TryParse(parsed.GetValue(link)!, out var host, out var port, out var secret, out var error))
                throw new CommandFailure(ExitCode.BadConfiguration, $"URL: {error}");
            var target = new PingTarget(host, port, secret.Secret, secret.Domain ?? PingTarget.AnyDomain);
            var options = new PingOptions(
                DcsOf(parsed.GetValue(dcs)),
                MannersOf(parsed.GetValue(protocols), secret.Kind),
                TimeSpan.FromMilliseconds(InRange("--timeout", parsed.GetValue(timeout), MostTimeoutMs)),
                InRange("--repeat", parsed.GetValue(repeat), MostRepeats));
            var results = await PingRun.RunAsync(target, options, cancel);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) PingReport.WriteJson(output, target, results);
            else PingReport.WriteTables(output, target, results);
            return results.Any(protocol => protocol.IsWhole) ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static int InRange(string option, int value, int most) =>
        value >= 1 && value <= most ? value : throw Bad(option, $"needs a number from 1 to {most}");

    private static short[] DcsOf(string? list)
    {
        if (list is null) return DefaultDcs;
        return [.. Words(list).Select(word =>
            short.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var dc) && dc != 0
                ? dc
                : throw Bad("--dc", "needs numbers other than 0 with commas between them; for example --dc 1,2,-2"))];
    }

    private static ClientManner[] MannersOf(string? list, SecretKind kind)
    {
        var names = list is not null ? Words(list) : kind switch
        {
            SecretKind.FakeTls => ["fake-tls"],
            SecretKind.Secure => ["secure"],
            _ => ["intermediate"],
        };
        return [.. names.Select(name =>
            ClientManner.All.SingleOrDefault(manner => manner.Name == name)
                ?? throw Bad("--protocol", $"needs some of {string.Join(", ", ClientManner.All.Select(manner => manner.Name))}"))];
    }

    private static string[] Words(string list) => [.. list.Split(',', StringSplitOptions.TrimEntries).Distinct()];

    private static CommandFailure Bad(string option, string problem) => new(ExitCode.BadConfiguration, $"{option} {problem}");
}
