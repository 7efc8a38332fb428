using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using Portico.Core.Options;

namespace Portico.Commands;

/// <summary>
/// What is wrong with a command line, in plain words. The library's own reports name types of the runtime, are silent once --help is there,
/// and would repeat a secret that follows a mistyped option.
/// </summary>
internal static class CommandLineErrors
{
    /// <summary>One line each; none if it can be run.</summary>
    public static IReadOnlyList<string> Of(ParseResult parsed)
    {
        var unknown = Unknown(parsed).ToList();
        // Of a word that is unknown the library speaks too, and of what is missing because the word was meant for it.
        return [.. unknown, .. parsed.Errors.Where(error => !IsAboutUnknown(error, parsed)).Select(Describe)];
    }

    private static IEnumerable<string> Unknown(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var followsOption = false;
        foreach (var word in parsed.UnmatchedTokens)
        {
            var isOption = word.StartsWith('-');
            if (isOption) yield return UnknownOption(word.Split('=', 2)[0], parsed.CommandResult);
            else if (!followsOption) yield return UnknownWord(word, command);
            followsOption = isOption; // what follows an unknown option is its value
        }
    }

    private static string UnknownOption(string written, CommandResult command)
    {
        var names = new List<string>();
        for (SymbolResult? at = command; at is not null; at = at.Parent)
        {
            if (at is CommandResult { Command: var known })
                names.AddRange(known.Options.Select(option => option.Name));
        }

        return $"there is no option {ShownText.Quote(written)}{Meant(written, names)}";
    }

    private static string UnknownWord(string written, Command command)
    {
        if (command.Subcommands.Count == 0)
            return $"{command.Name} takes no {ShownText.Quote(written)}";

        var names = command.Subcommands.Where(known => !known.Hidden).Select(known => known.Name);
        return $"there is no command {ShownText.Quote(written)}{Meant(written, names)}";
    }

    private static bool IsAboutUnknown(ParseError error, ParseResult parsed) =>
        error.SymbolResult is not (OptionResult or ArgumentResult)
        && parsed.UnmatchedTokens.Any(word => error.Message.Contains($"'{word}'", StringComparison.Ordinal));

    private static string Describe(ParseError error)
    {
        var result = error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult;
        if (result is null) return ShownText.WithoutSecrets(OneLine(error.Message));
        var (name, written) = (result.Option.Name, result.Tokens.Count > 0 ? result.Tokens[^1].Value : null);
        if (written is null) return $"{name} needs a value";
        if (IsNumber(result.Option) && !int.TryParse(written, out _))
            return $"{name} needs a whole number, not {ShownText.Quote(written)}";
        var allowed = result.Option.GetCompletions(CompletionContext.Empty).Select(one => one.Label).ToArray();
        if (allowed.Length > 0 && !allowed.Contains(written, StringComparer.Ordinal))
            return $"{name}: {ShownText.Quote(written)} is not one of {string.Join(", ", allowed)}{Meant(written, allowed)}";
        return ShownText.WithoutSecrets(
            error.Message.Contains(name, StringComparison.Ordinal) ? OneLine(error.Message) : $"{name}: {OneLine(error.Message)}");
    }

    private static bool IsNumber(Option option) => option.ValueType == typeof(int) || option.ValueType == typeof(int?);

    private static string Meant(string written, IEnumerable<string> names) =>
        DidYouMean.Closest(written, names) is { } meant ? $"; did you mean {meant}?" : "";

    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
