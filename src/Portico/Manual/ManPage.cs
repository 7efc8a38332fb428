using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Portico.Configuration;
using Portico.Hosting;

namespace Portico.Manual;

/// <summary>portico(1), as text for man.</summary>
internal static partial class ManPage
{
    public static string Text(CommandWords root)
    {
        var text = new StringBuilder();
        text.Append($".TH PORTICO 1 \"\" \"{Escaped(Administration.Version.Split('+')[0])}\" \"Portico\"\n");
        Section(text, "NAME");
        text.Append("portico \\- an MTProto proxy for Telegram\n");
        Section(text, "SYNOPSIS");
        foreach (var command in root.All) Synopsis(text, command);

        Section(text, "DESCRIPTION");
        Paragraph(
            text,
            "A Telegram app that knows the proxy's secret is relayed to Telegram; to everybody in between, the connection looks like "
                + "TLS 1.3 to an ordinary web site. Whoever connects without the secret sees a real web site, if the configuration "
                + "names one as the cover.");
        Paragraph(
            text, "`portico` alone is `portico run`. The first start writes a configuration with a fresh secret and prints the links.");

        Section(text, "COMMANDS");
        foreach (var command in root.All.Skip(1)) Describe(text, command);

        Section(text, "OPTIONS OF EVERY COMMAND");
        foreach (var option in root.Common) Describe(text, option);
        // What `run` has too was told there.
        var known = root.Commands.SelectMany(command => command.Own).Select(option => option.Names[0]).ToHashSet();
        foreach (var option in root.Own.Where(option => !known.Contains(option.Names[0]))) Describe(text, option);

        List(text, "EXIT STATUS",
            ("0", "An orderly end, or the answer is yes."),
            ("1", "Something failed, or the answer is no; a line on the standard error says what."),
            ("2", "The configuration or the command line is wrong, or a newer Portico wrote the data directory: starting again will "
                + "not help."),
            ("3", "No proxy is running that could be asked."));
        List(text, "ENVIRONMENT",
            ("PORTICO_CONFIG", "The configuration file, where `--config` names none."),
            ("PORTICO_LOG_LEVEL", "The least important messages that are shown, where `--log-level` names none."),
            ("PORTICO__Section__Key", "Replaces one value of the configuration, for example `PORTICO__timeouts__idleSeconds`; positions in "
                + "lists are numbers, as in `PORTICO__listeners__0__port`."));
        List(text, "FILES",
            ("portico.json", $"The configuration. Looked for: {ConfigurationFile.Places}, the first that exists. Relative paths in it "
                + "start where it is. `portico check` tells what is in force."),
            ("data/", "What must survive a restart: `dataDirectory` of the configuration. One running proxy owns it."),
            ("admin.sock", "The socket that `status`, `sessions`, `users`, `reload`, `upgrade` and `healthcheck` ask: `admin.socket` of "
                + "the configuration, beside the data directory."));
        List(text, "SIGNALS",
            ("SIGTERM, SIGINT", "Stop: silent sessions end at once, transfers have `timeouts.drainSeconds`. A second one stops at once."),
            ("SIGHUP", "Read the configuration again: all of it or, if it has errors, nothing."),
            ("SIGUSR2", "Start the program that is installed by now; it takes over without a refused connection, or this one runs on. "
                + "`portico upgrade` does the same and tells what came of it."));
        Section(text, "EXAMPLES");
        foreach (var (what, how) in ((string, string)[])
        [
            ("Start, and have the links of a name of yours written down:", "portico run --port 443 --public-host proxy.example.org"),
            ("Print the links again, as codes for a phone's camera:", "portico link --qr"),
            ("See what keeps clients out:", "portico doctor"),
            ("Complete commands in this shell:", "source <(portico completion bash)"),
        ])
        {
            Paragraph(text, what);
            text.Append($".PP\n.RS 4\n.nf\n{Escaped(how)}\n.fi\n.RE\n");
        }

        return text.ToString();
    }

    private static void Section(StringBuilder text, string name) => text.Append($".SH \"{name}\"\n");

    private static void Paragraph(StringBuilder text, string words) => text.Append($".PP\n{Words(words)}\n");

    private static void List(StringBuilder text, string name, params (string Term, string Words)[] items)
    {
        Section(text, name);
        foreach (var (term, words) in items) text.Append($".TP\n.B {Escaped(term)}\n{Words(words)}\n");
    }

    private static void Synopsis(StringBuilder text, CommandWords command)
    {
        // One with commands below it does nothing by itself.
        if (command is { Commands.Count: > 0, Path.Length: > 0 }) return;
        var options = command.Own.Any() ? " [\\fIoptions\\fR]" : "";
        var arguments = string.Concat(command.Arguments.Select(argument => $" \\fI{Escaped(argument.Value.Name)}\\fR"));
        text.Append($".br\n\\fB{Escaped($"portico {command.Path}".TrimEnd())}\\fR{options}{arguments}\n");
    }

    private static void Describe(StringBuilder text, CommandWords command)
    {
        var arguments = string.Concat(command.Arguments.Select(argument => $" {argument.Value.Name}"));
        text.Append($".SS \"{Escaped($"portico {command.Path}{arguments}")}\"\n{Words(command.Description)}\n");
        foreach (var (value, description) in command.Arguments)
            text.Append($".TP\n\\fI{Escaped(value.Name)}\\fR\n{Words(description + Allowed(value, description))}\n");
        foreach (var option in command.Own) Describe(text, option);
    }

    private static void Describe(StringBuilder text, OptionWords option)
    {
        var value = option.Value is not { } it ? ""
            : option.IsValueOptional ? $" [\\fI{Escaped(it.Name)}\\fR]"
            : $" \\fI{Escaped(it.Name)}\\fR";
        var names = string.Join(", ", option.Names.Reverse().Select(name => $"\\fB{Escaped(name)}\\fR"));
        var allowed = option.Value is null ? "" : Allowed(option.Value, option.Description);
        var isSaid = option.Standard is null || option.Description.Contains("Without it", StringComparison.Ordinal);
        var standard = isSaid ? "" : $" Without it: {option.Standard}.";
        text.Append($".TP\n{names}{value}\n{Words(option.Description + allowed + standard)}\n");
    }

    // Where the description does not say it already.
    private static string Allowed(ValueWords value, string description) =>
        value.Allowed.All(one => description.Contains(one, StringComparison.Ordinal)) ? "" : $" One of {string.Join(", ", value.Allowed)}.";

    // `code` in bold; a line must not begin with what man takes for a request.
    private static string Words(string words) => Code().Replace(Escaped(words), "\\fB$1\\fR");

    private static string Escaped(string words)
    {
        var text = new StringBuilder(words.Length + 16);
        if (words.StartsWith('.') || words.StartsWith('\'')) text.Append("\\&");
        foreach (var rune in words.EnumerateRunes())
        {
            text.Append(rune.Value switch
            {
                '\\' => "\\e",
                '-' => "\\-",
                '\'' => "\\(aq",
                '"' => "\\(dq",
                '^' => "\\(ha",
                '~' => "\\(ti",
                '\n' => " ",
                >= 0x80 => string.Create(CultureInfo.InvariantCulture, $"\\[u{rune.Value:X4}]"),
                _ => rune.ToString(),
            });
        }

        return text.ToString();
    }

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex Code();
}
