using System.Text;
using System.Text.RegularExpressions;

namespace Portico.Import.Reading;

/// <summary>
/// The command line of a program inside a unit of systemd, a script, a compose file or a file of its own. Variables count where the same
/// file gives them a plain value; nothing is run.
/// </summary>
internal static partial class CommandLineReader
{
    private const int LongestLine = 64 * 1024;

    /// <summary>A line, with those that go on with it behind a backslash.</summary>
    private readonly record struct Line(int Number, string Text);

    /// <summary>The words behind the program's name, and where its line is; no words = the file does not start it.</summary>
    /// <param name="text">The file.</param>
    /// <param name="program">Name of the program.</param>
    /// <param name="marks">Beginnings of options: a line without any of them does not start it.</param>
    /// <exception cref="ForeignFormatException">It is started more than once, or something must be worked out.</exception>
    public static (IReadOnlyList<string> Words, int Line) Read(string text, string program, string[] marks)
    {
        var lines = Lines(text).ToList();
        var variables = Variables(lines);
        (IReadOnlyList<string> Words, int Line) found = ([], 0);
        foreach (var line in lines.Where(line => line.Text.Contains(program, StringComparison.Ordinal)))
        {
            var words = Split(line);
            var at = words.FindIndex(word => word == program || word.EndsWith($"/{program}", StringComparison.Ordinal));
            if (at < 0 || !words.Skip(at + 1).Any(word => Array.Exists(marks, mark => word.StartsWith(mark, StringComparison.Ordinal))))
                continue;
            if (found.Line > 0)
            {
                throw new ForeignFormatException(
                    line.Number, $"starts {program} once more, after line {found.Line}: give each a file of its own");
            }

            var end = words.FindIndex(at, word => word is ";" or "&&" or "||" or "|" or "&" or ">" or ">>");
            var own = words[(at + 1)..(end < 0 ? words.Count : end)];
            found = ([.. own.Select(word => Expand(word, variables, line.Number))], line.Number);
        }

        return found;
    }

    /// <summary>The plain values that the file gives to variables: <c>NAME=value</c> or <c>NAME: value</c> on a line of its own.</summary>
    public static IReadOnlyDictionary<string, string> Variables(string text) => Variables([.. Lines(text)]);

    private static Dictionary<string, string> Variables(List<Line> lines)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            if (Assignment().Match(line.Text) is { Success: true } match)
                variables[match.Groups["name"].Value] = match.Groups["value"].Value.Trim().Trim('"', '\'');
        }

        return variables;
    }

    private static IEnumerable<Line> Lines(string text)
    {
        var (number, start, whole) = (0, 0, new StringBuilder());
        foreach (var part in text.Split('\n'))
        {
            number++;
            if (whole.Length == 0) start = number;
            var piece = part.TrimEnd('\r', ' ', '\t');
            if (whole.Length == 0 && piece.TrimStart() is ['#' or ';', ..]) continue;
            if (whole.Length + piece.Length > LongestLine)
                throw new ForeignFormatException(start, "is longer than any command line");
            whole.Append(piece.EndsWith('\\') ? piece.AsSpan(0, piece.Length - 1) : piece).Append(' ');
            if (piece.EndsWith('\\')) continue;
            yield return new(start, whole.ToString());
            whole.Clear();
        }

        if (whole.Length > 0) yield return new(start, whole.ToString());
    }

    // As a shell does, without what it would work out; a list in brackets, as compose files and images write it, is one of quoted words.
    private static List<string> Split(Line line)
    {
        var (words, word, isOpen) = (new List<string>(), new StringBuilder(), false);
        var text = line.Text.Replace("ExecStart=", "ExecStart= ", StringComparison.Ordinal);
        var isList = ListOfWords().IsMatch(text);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '"' or '\'')
            {
                var end = text.IndexOf(c, i + 1);
                if (end < 0)
                    throw new ForeignFormatException(line.Number, "opens a quote that is never closed");
                word.Append(text, i + 1, end - i - 1);
                (i, isOpen) = (end, true);
            }
            else if (char.IsWhiteSpace(c) || (isList && c is ',' or '[' or ']'))
            {
                if (isOpen) words.Add(word.ToString());
                word.Clear();
                isOpen = false;
            }
            else
            {
                word.Append(c);
                isOpen = true;
            }
        }

        if (isOpen) words.Add(word.ToString());
        // ["sh", "-c", "program -H 443"]: the command is one word.
        return isList && words.Count > 0 && words[^1].Contains(' ', StringComparison.Ordinal)
            ? [.. words[..^1], .. Split(line with { Text = words[^1] })]
            : words;
    }

    private static string Expand(string word, Dictionary<string, string> variables, int line)
    {
        if (!word.AsSpan().ContainsAny('$', '`')) return word;
        var expanded = Variable().Replace(word, match => variables.TryGetValue(match.Groups["name"].Value, out var value) ? value
            : match.Value);
        return expanded.AsSpan().ContainsAny('$', '`')
            ? throw new ForeignFormatException(line,
                "uses a variable or a command whose value is not in this file: write the value in its place")
            : expanded;
    }

    [GeneratedRegex("""^\s*(-\s+)?(export\s+|Environment=)?["']?(?<name>[A-Za-z_][A-Za-z0-9_]{0,63})\s*(=|:\s)(?<value>[^$`]*)$""")]
    private static partial Regex Assignment();

    [GeneratedRegex(@"\$(\{(?<name>[A-Za-z_][A-Za-z0-9_]*)\}|(?<name>[A-Za-z_][A-Za-z0-9_]*))")]
    private static partial Regex Variable();

    [GeneratedRegex("""^\s*[A-Za-z_]*:?\s*\[\s*["']""")]
    private static partial Regex ListOfWords();
}
