using System.Text;
using static Portico.Manual.ShellWords;

namespace Portico.Manual;

/// <summary>Completion for bash: needs nothing but bash.</summary>
internal static class BashCompletion
{
    public static string Text(CommandWords root)
    {
        var text = new StringBuilder();
        text.Append("""
            # Completion of portico for bash, made by `portico completion bash`.
            # For one user: portico completion bash > ~/.local/share/bash-completion/completions/portico

            # Words with blanks in them, as file names may be, stay whole.
            _portico_reply() {
                COMPREPLY=()
                while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$@")
            }

            _portico() {
                local word at= i
                local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
                # bash parts --option=value into three words
                if [[ $cur == = ]]; then cur=
                elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}
                fi
                COMPREPLY=()

                # the command that is meant; what belongs to an option is none
                for ((i = 1; i < COMP_CWORD; i++)); do
                    word=${COMP_WORDS[i]}

            """);
        text.Append($"        case \"$word\" in\n            {string.Join('|', root.WordTakers)})\n");
        text.Append("""
                            [[ ${COMP_WORDS[i + 1]} == = ]] && i=$((i + 1))
                            i=$((i + 1))
                            continue ;;
                    esac
                    case "${at:+$at }$word" in

            """);
        var paths = string.Join('|', root.All.Skip(1).Select(command => Quote(command.Path)));
        text.Append($"            {paths}) at=\"${{at:+$at }}$word\" ;;\n");
        text.Append("""
                    esac
                done

                # the value of an option
                case "$at|$prev" in

            """);
        foreach (var command in root.All)
        {
            foreach (var option in command.Own.Where(option => option.Value is not null))
                text.Append($"        {PatternOf(option, name => Quote($"{command.Path}|{name}"))}) {Values(option)} ;;\n");
        }

        foreach (var option in root.Common.Where(option => option.Value is not null))
            text.Append($"        {PatternOf(option, name => $"*{Quote($"|{name}")}")}) {Values(option)} ;;\n");

        text.Append("""
                esac

                # whatever the command takes
                case "$at" in

            """);
        foreach (var command in root.All)
        {
            var options = string.Join(' ', command.Options.SelectMany(option => option.Names));
            var others = command.Commands.Select(below => below.Name)
                .Concat(command.Arguments.SelectMany(argument => argument.Value.Allowed)).ToArray();
            text.Append($"        {Quote(command.Path)})\n");
            var first = others.Length > 0 ? $"_portico_reply -W {Quote(string.Join(' ', others))} -- \"$cur\""
                : command.Arguments.Any(argument => argument.Value.IsFile) ? Files
                : "";
            if (first.Length > 0)
                text.Append($"            if [[ $cur != -* ]]; then {first}; return; fi\n");
            text.Append($"            _portico_reply -W {Quote(options)} -- \"$cur\" ;;\n");
        }

        return text.Append("""
                esac
            }

            complete -F _portico portico

            """).ToString();
    }

    // Outside of a completion, as in a test, there are no options to set.
    private const string Files = "compopt -o filenames 2> /dev/null; _portico_reply -f -- \"$cur\"";

    private static string Values(OptionWords option)
    {
        var reply = option.Value is { Allowed.Count: > 0 } value
            ? $"_portico_reply -W {Quote(string.Join(' ', value.Allowed))} -- \"$cur\""
            : option.Value!.IsFile ? Files : ":";
        return option.IsValueOptional ? $"if [[ $cur != -* ]]; then {reply}; return; fi" : $"{reply}; return";
    }

    private static string PatternOf(OptionWords option, Func<string, string> one) => string.Join('|', option.Names.Select(one));
}
