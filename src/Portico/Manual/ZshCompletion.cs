using System.Text;
using static Portico.Manual.ShellWords;

namespace Portico.Manual;

/// <summary>Completion for zsh: a file named _portico in a folder of fpath.</summary>
internal static class ZshCompletion
{
    public static string Text(CommandWords root)
    {
        var text = new StringBuilder();
        text.Append("""
            #compdef portico
            # Completion of portico for zsh, made by `portico completion zsh`.
            # For one user: portico completion zsh > ~/.zfunc/_portico, with fpath+=~/.zfunc before compinit in ~/.zshrc


            """);
        foreach (var command in root.All) Function(text, command);
        return text.Append("""
            if [[ $funcstack[1] == _portico ]]; then
                _portico "$@"
            else
                compdef _portico portico
            fi

            """).ToString();
    }

    private static void Function(StringBuilder text, CommandWords command)
    {
        text.Append($"{NameOf(command)}() {{\n    local curcontext=$curcontext state line\n    _arguments -C");
        foreach (var option in command.Options) text.Append($" \\\n        {Option(option)}");
        if (command.Commands.Count > 0)
            text.Append(" \\\n        '1: :->command' \\\n        '*:: :->rest'");
        foreach (var (value, description) in command.Arguments)
            text.Append($" \\\n        {Quote($":{Part(description.Length > 0 ? description : value.Name)}:{Action(value)}")}");
        text.Append('\n');
        if (command.Commands.Count > 0)
        {
            text.Append("    case $state in\n        command)\n            local -a commands=(");
            foreach (var below in command.Commands) text.Append($"\n                {Quote($"{below.Name}:{below.Description}")}");
            text.Append("\n            )\n            _describe -t commands command commands ;;");
            text.Append("\n        rest)\n            case $words[1] in");
            foreach (var below in command.Commands) text.Append($"\n                {below.Name}) {NameOf(below)} ;;");
            text.Append("\n            esac ;;\n    esac\n");
        }

        text.Append("}\n\n");
    }

    private static string NameOf(CommandWords command) => $"_portico {command.Path}".TrimEnd().Replace(' ', '_');

    // '(-c --config)'{-c,--config=}'[what it is]:FILE:_files'
    private static string Option(OptionWords option)
    {
        var value = option.Value is { } it ? $"{(option.IsValueOptional ? "::" : ":")}{Part(it.Name)}:{Action(it)}" : "";
        var rest = Quote($"[{Bracketed(option.Description)}]{value}");
        var names = option.Names.Select(
            name => option.Value is not null && name.StartsWith("--", StringComparison.Ordinal) ? name + "=" : name);
        var several = option.MayRepeat ? "'*'" : option.Names.Count > 1 ? $"'({string.Join(' ', option.Names)})'" : "";
        return several + (option.Names.Count > 1 ? $"{{{string.Join(',', names)}}}" : names.Single()) + rest;
    }

    private static string Action(ValueWords value) =>
        value.Allowed.Count > 0 ? $"({string.Join(' ', value.Allowed)})" : value.IsFile ? "_files" : " ";

    private static string Bracketed(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal)
            .Replace("]", "\\]", StringComparison.Ordinal);

    private static string Part(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
}
