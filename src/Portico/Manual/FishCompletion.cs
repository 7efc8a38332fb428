using System.Text;

namespace Portico.Manual;

/// <summary>Completion for fish.</summary>
internal static class FishCompletion
{
    public static string Text(CommandWords root)
    {
        var text = new StringBuilder();
        var paths = root.All.Skip(1).Select(command => Quote(command.Path));
        text.Append($$"""
            # Completion of portico for fish, made by `portico completion fish`.
            # For one user: portico completion fish > ~/.config/fish/completions/portico.fish

            # Whether this command is meant; what belongs to an option is none.
            function __portico_at
                set -l at ''
                set -l skip 0
                for word in (commandline -opc)[2..-1]
                    if test $skip = 1
                        set skip 0
                        continue
                    end
                    switch $word
                        case {{string.Join(' ', root.WordTakers)}}
                            set skip 1
                        case '-*'
                        case '*'
                            set -l longer (string trim -- "$at $word")
                            contains -- $longer {{string.Join(' ', paths)}}
                            and set at $longer
                    end
                end
                test "$at" = "$argv[1]"
            end

            complete -c portico -f

            """);
        foreach (var command in root.All)
        {
            var start = $"complete -c portico -n {Quote($"__portico_at {Quote(command.Path)}")}";
            foreach (var below in command.Commands) text.Append($"{start} -a {below.Name} -d {Quote(below.Description)}\n");
            foreach (var (value, _) in command.Arguments)
            {
                if (value.Allowed.Count > 0)
                    text.Append($"{start} -a {Quote(string.Join(' ', value.Allowed))}\n");
                else if (value.IsFile) text.Append($"{start} -F\n");
            }

            foreach (var option in command.Options) text.Append($"{start}{Option(option)} -d {Quote(option.Description)}\n");
        }

        return text.ToString();
    }

    private static string Option(OptionWords option)
    {
        var names = string.Concat(option.Names.Select(
            name => name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {name[1..]}"));
        if (option.Value is not { } value) return names;
        var values = value.Allowed.Count > 0 ? $" -f -a {Quote(string.Join(' ', value.Allowed))}" : value.IsFile ? " -F" : " -f";
        return names + (option.IsValueOptional ? "" : " -r") + values;
    }

    private static string Quote(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
