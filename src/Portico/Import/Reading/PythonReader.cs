using System.Globalization;
using System.Text;

namespace Portico.Import.Reading;

/// <summary>
/// A config.py, as far as it holds names with literal values. Nothing is evaluated: what would have to be is <see
/// cref="ForeignKind.Computed"/>.
/// </summary>
internal sealed class PythonReader
{
    /// <summary>The key of a statement that is no assignment.</summary>
    public const string Statement = "(statement)";

    private readonly TextCursor _text;

    private PythonReader(string text) => _text = new TextCursor(text);

    /// <summary>The assignments of the file, the last one of each name.</summary>
    /// <exception cref="ForeignFormatException">A text or a bracket is not closed.</exception>
    public static ForeignValue Read(string text)
    {
        var reader = new PythonReader(text.Replace("\r\n", "\n", StringComparison.Ordinal));
        var (entries, places) = (new List<ForeignEntry>(), new Dictionary<string, int>(StringComparer.Ordinal));
        while (reader.NextStatement() is { } entry)
        {
            if (entry.Key != Statement && places.TryGetValue(entry.Key, out var at))
                entries[at] = entry;
            else
            {
                places[entry.Key] = entries.Count;
                entries.Add(entry);
            }
        }

        return new(ForeignKind.Map, 1) { Entries = entries };
    }

    // Null at the end.
    private ForeignEntry? NextStatement()
    {
        while (true)
        {
            BlankLines();
            if (_text.AtEnd) return null;
            var line = _text.Line;
            if (_text.Current is '"' or '\'')
            {
                Literal(0); // a text alone is a comment
                EndOfStatement();
                continue;
            }

            var name = _text.While(IsNameCharacter);
            Spaces();
            if (name is "import" or "from" or "pass")
            {
                EndOfStatement();
                continue;
            }

            if (name.Length == 0 || _text.Current != '=' || _text.Ahead(1) == '=')
            {
                SkipWithBlock();
                return new(Statement, new(ForeignKind.Computed, line));
            }

            _text.Skip(1);
            var value = Literal(0);
            // A literal with something behind it is part of an expression.
            if (EndOfStatement()) value = new(ForeignKind.Computed, line);
            return new(name, value);
        }
    }

    private ForeignValue Literal(int depth)
    {
        if (depth > ForeignValue.Deepest)
            throw new ForeignFormatException(_text.Line, "is nested deeper than any configuration");
        Spaces(inBrackets: depth > 0);
        var line = _text.Line;
        switch (_text.Current)
        {
            case '"' or '\'':
                return Strings(line, depth > 0);
            case '[':
                return Items("[", "]", ForeignKind.List, depth);
            case '(':
                return Items("(", ")", ForeignKind.Tuple, depth);
            case '{':
                return Map(depth);
            case '-' or (>= '0' and <= '9'):
                return Number(line);
            default:
                var word = _text.While(c => IsNameCharacter(c) || c == '.');
                return word is "True" or "False" or "None" ? new(ForeignKind.Word, line) { Text = word } : new(ForeignKind.Computed, line);
        }
    }

    private ForeignValue Items(string open, string close, ForeignKind kind, int depth)
    {
        var line = _text.Line;
        _text.Take(open);
        var (items, isComputed, hasComma) = (new List<ForeignValue>(), false, false);
        while (true)
        {
            Spaces(inBrackets: true);
            if (_text.Take(close)) break;
            items.Add(Literal(depth + 1));
            isComputed |= SkipTo(",", close);
            hasComma |= _text.Take(",");
        }

        if (isComputed) return new(ForeignKind.Computed, line);
        // ("a" "b") is a text in brackets, and no tuple.
        return kind == ForeignKind.Tuple && items.Count == 1 && !hasComma ? items[0] : new(kind, line) { Items = items };
    }

    private ForeignValue Map(int depth)
    {
        var line = _text.Line;
        _text.Take("{");
        var (entries, places, isComputed) = (new List<ForeignEntry>(), new Dictionary<string, int>(StringComparer.Ordinal), false);
        while (true)
        {
            Spaces(inBrackets: true);
            if (_text.Take("}")) break;
            var key = Literal(depth + 1);
            isComputed |= key.Kind != ForeignKind.Text | SkipTo(":", ",", "}");
            if (!_text.Take(":"))
            {
                isComputed = true;
                _text.Take(",");
                continue;
            }

            var value = Literal(depth + 1);
            if (SkipTo(",", "}")) value = new(ForeignKind.Computed, value.Line);
            _text.Take(",");
            if (places.TryAdd(key.Text, entries.Count)) entries.Add(new(key.Text, value));
            else entries[places[key.Text]] = new(key.Text, value);
        }

        return isComputed ? new(ForeignKind.Computed, line) : new(ForeignKind.Map, line) { Entries = entries };
    }

    private ForeignValue Strings(int line, bool inBrackets)
    {
        var whole = new StringBuilder();
        while (_text.Current is '"' or '\'')
        {
            Quoted(whole);
            Spaces(inBrackets);
        }

        return new(ForeignKind.Text, line) { Text = whole.ToString() };
    }

    private void Quoted(StringBuilder content)
    {
        var (line, quote) = (_text.Line, _text.Current);
        var mark = _text.Sees(new string(quote, 3)) ? new string(quote, 3) : quote.ToString();
        _text.Take(mark);
        while (!_text.AtEnd && (mark.Length == 3 || _text.Current != '\n'))
        {
            if (_text.Take(mark)) return;
            if (_text.Take("\\"))
            {
                var name = _text.Next();
                content.Append(name switch
                {
                    'n' => "\n",
                    't' => "\t",
                    '\n' => "",
                    '\\' or '\'' or '"' => name.ToString(),
                    _ => $"\\{name}",
                });
            }
            else content.Append(_text.Next());
        }

        throw new ForeignFormatException(line, "opens a quote that is never closed");
    }

    private ForeignValue Number(int line)
    {
        var sign = _text.Take("-") ? -1 : 1;
        var isHex = _text.Take("0x") || _text.Take("0X");
        var digits = _text.While(c => char.IsAsciiHexDigit(c) || c is '_' or '.').Replace("_", "", StringComparison.Ordinal);
        if (!isHex && digits.Contains('.', StringComparison.Ordinal))
            return new(ForeignKind.Word, line) { Text = digits };
        return long.TryParse(digits, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture,
            out var number)
            ? new(ForeignKind.Number, line) { Number = sign * number }
            : new(ForeignKind.Computed, line);
    }

    // Goes to the first of these at this level; whether there was anything before it.
    private bool SkipTo(params ReadOnlySpan<string> ends)
    {
        var (skipped, depth) = (false, 0);
        Spaces(inBrackets: true);
        while (true)
        {
            if (_text.AtEnd)
                throw new ForeignFormatException(_text.Line, "opens a bracket that is never closed");
            if (depth == 0)
            {
                foreach (var end in ends)
                {
                    if (_text.Sees(end)) return skipped;
                }
            }

            skipped = true;
            depth = Over(depth);
            Spaces(inBrackets: true);
        }
    }

    // Whether anything but a comment was left of the statement.
    private bool EndOfStatement()
    {
        Spaces();
        var (isMore, depth) = (false, 0);
        while (!_text.AtEnd && (_text.Current != '\n' || depth > 0))
        {
            if (_text.Current == ';' && depth == 0)
            {
                _text.Skip(1);
                return isMore;
            }

            isMore = true;
            depth = Over(depth);
            Spaces(inBrackets: depth > 0);
        }

        return isMore;
    }

    // One character or text of something that is not understood.
    private int Over(int depth)
    {
        if (_text.Current is '"' or '\'')
        {
            Quoted(new StringBuilder());
            return depth;
        }

        return _text.Next() switch { '(' or '[' or '{' => depth + 1, ')' or ']' or '}' => Math.Max(0, depth - 1), _ => depth };
    }

    private void SkipWithBlock()
    {
        EndOfStatement();
        while (true)
        {
            BlankLines(keepIndent: true);
            if (_text.Current is not (' ' or '\t')) return;
            Spaces();
            EndOfStatement();
        }
    }

    // To the first character of the next line that has any.
    private void BlankLines(bool keepIndent = false)
    {
        while (!_text.AtEnd)
        {
            var ahead = 0;
            while (_text.Ahead(ahead) is ' ' or '\t' or '\f' or '\ufeff') ahead++;
            if (_text.Ahead(ahead) is '\n' or '#')
            {
                _text.While(c => c != '\n');
                _text.Skip(1);
            }
            else
            {
                if (!keepIndent || ahead == 0 || _text.Ahead(ahead) == TextCursor.End)
                    _text.Skip(ahead);
                return;
            }
        }
    }

    private void Spaces(bool inBrackets = false)
    {
        while (!_text.AtEnd)
        {
            if (_text.Current is ' ' or '\t' || (inBrackets && char.IsWhiteSpace(_text.Current)))
                _text.Skip(1);
            else if (_text.Sees("\\\n")) _text.Skip(2);
            else if (_text.Current == '#') _text.While(c => c != '\n');
            else return;
        }
    }

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
}
