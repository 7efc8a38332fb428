using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;

namespace Portico.Manual;

/// <summary>What stands for the value of an option or for an argument.</summary>
/// <param name="Name">As help shows it, for example FILE.</param>
/// <param name="Allowed">The values it may have; empty = that is not known.</param>
internal sealed record ValueWords(string Name, IReadOnlyList<string> Allowed)
{
    /// <summary>It is the path of a file.</summary>
    public bool IsFile => Name is "FILE" or "PATH";
}

/// <summary>An option.</summary>
/// <param name="Names">All of its names, the longest first.</param>
/// <param name="Description">As help has it.</param>
/// <param name="Value">What follows it; null = nothing.</param>
/// <param name="IsValueOptional">It may stand alone all the same.</param>
/// <param name="MayRepeat">It may be there more than once.</param>
/// <param name="Standard">The value that counts without it; null = that is not known.</param>
internal sealed record OptionWords(
    IReadOnlyList<string> Names, string Description, ValueWords? Value, bool IsValueOptional, bool MayRepeat, string? Standard)
{
    /// <summary>What comes with it must have a word of its own.</summary>
    public bool TakesNextWord => Value is not null && !IsValueOptional;
}

/// <summary>
/// A command, as somebody types it: read off the objects that parse the command line, so that it cannot say anything else.
/// </summary>
/// <param name="Path">Its words behind the program's name, with spaces; "" = the program alone.</param>
/// <param name="Name">The last of them.</param>
/// <param name="Description">As help has it.</param>
/// <param name="Own">Options of this command.</param>
/// <param name="Common">Options of every command.</param>
/// <param name="Arguments">What it takes besides, with descriptions.</param>
/// <param name="Commands">Those below it.</param>
internal sealed record CommandWords(
    string Path, string Name, string Description, IReadOnlyList<OptionWords> Own, IReadOnlyList<OptionWords> Common,
    IReadOnlyList<(ValueWords Value, string Description)> Arguments, IReadOnlyList<CommandWords> Commands)
{
    /// <summary>Everything that may stand behind it and begins with a dash.</summary>
    public IEnumerable<OptionWords> Options => Own.Concat(Common);

    /// <summary>This one and all below it.</summary>
    public IEnumerable<CommandWords> All => Commands.SelectMany(command => command.All).Prepend(this);

    /// <summary>Names of options, here and below, behind which a word of theirs must come.</summary>
    public IEnumerable<string> WordTakers =>
        All.SelectMany(command => command.Options).Where(option => option.TakesNextWord).SelectMany(option => option.Names).Distinct();

    /// <summary>The tree below a root.</summary>
    public static CommandWords Of(Command root) => Of(root, "", [.. root.Options.Where(option => option.Recursive && !option.Hidden)]);

    private static CommandWords Of(Command command, string path, Option[] common) => new(
        path, command.Name, command.Description ?? "",
        [.. command.Options.Where(option => !option.Hidden && !common.Contains(option)).Select(Of)],
        [.. common.Select(Of)],
        [.. command.Arguments.Where(argument => !argument.Hidden).Select(it => (ValueOf(it), it.Description ?? ""))],
        [.. command.Subcommands.Where(below => !below.Hidden).Select(below => Of(below, $"{path} {below.Name}".TrimStart(), common))]);

    private static OptionWords Of(Option option)
    {
        // "/h" and "-?" are there for habits of other systems.
        var names = option.Aliases.Prepend(option.Name).Distinct()
            .Where(name => name.StartsWith('-') && name != "-?").OrderByDescending(name => name.Length).ToArray();
        var isFlag = option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool);
        return new(
            names, option.Description ?? "", isFlag ? null : new ValueWords(option.HelpName ?? "VALUE", Allowed(option)),
            option.Arity.MinimumNumberOfValues == 0, option.Arity.MaximumNumberOfValues > 1,
            isFlag || !option.HasDefaultValue ? null : Convert.ToString(option.GetDefaultValue(), CultureInfo.InvariantCulture));
    }

    private static ValueWords ValueOf(Argument argument) => new(argument.HelpName ?? argument.Name, Allowed(argument));

    private static string[] Allowed(Symbol symbol) => [.. symbol.GetCompletions(CompletionContext.Empty).Select(one => one.Label)];
}
