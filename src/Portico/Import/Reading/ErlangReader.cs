using System.Globalization;
using System.Text;

namespace Portico.Import.Reading;

/// <summary>Erlang terms, as far as they stand in a sys.config: nothing that would have to be evaluated.</summary>
internal sealed class ErlangReader
{
    private readonly TextCursor _text;

    private ErlangReader(string text) => _text = new TextCursor(text);

    /// <summary>The first term of a file.</summary>
    /// <exception cref="ForeignFormatException">There is none.</exception>
    public static ForeignValue Read(string text)
    {
        var reader = new ErlangReader(text);
        var term = reader.Term(0);
        reader.Blank();
        if (!reader._text.Take(".")) throw reader.Problem("the term must end with a full stop");
        return term;
    }

    private ForeignValue Term(int depth)
    {
        if (depth > ForeignValue.Deepest) throw Problem("is nested deeper than any configuration");
        Blank();
        var line = _text.Line;
        switch (_text.Current)
        {
            case '[':
                return new(ForeignKind.List, line) { Items = Items("[", "]", depth) };
            case '{':
                return new(ForeignKind.Tuple, line) { Items = Items("{", "}", depth) };
            case '#':
                return Map(depth);
            case '<':
                return Binary();
            case '"':
                return new(ForeignKind.Text, line) { Text = Strings() };
            case '\'':
                return new(ForeignKind.Word, line) { Text = Quoted('\'') };
            case '$':
                _text.Skip(1);
                return new(ForeignKind.Number, line) { Number = _text.Current == '\\' ? Escape() : _text.Next() };
            case '-' or (>= '0' and <= '9'):
                return Number();
            case >= 'a' and <= 'z':
                return new(ForeignKind.Word, line) { Text = _text.While(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '@') };
            case TextCursor.End when _text.AtEnd:
                throw Problem("the file ends in the middle of a term");
            default:
                throw Problem("is not a term: a list, tuple, map, text, number or atom");
        }
    }

    private List<ForeignValue> Items(string open, string close, int depth)
    {
        _text.Take(open);
        var items = new List<ForeignValue>();
        Blank();
        if (_text.Take(close)) return items;
        while (true)
        {
            items.Add(Term(depth + 1));
            Blank();
            if (_text.Take(close)) return items;
            if (!_text.Take(",")) throw Problem($"misses a comma or \"{close}\"");
        }
    }

    private ForeignValue Map(int depth)
    {
        var line = _text.Line;
        if (!_text.Take("#{"))
            throw Problem("is not a term: a list, tuple, map, text, number or atom");
        var entries = new List<ForeignEntry>();
        Blank();
        if (_text.Take("}")) return new(ForeignKind.Map, line);
        while (true)
        {
            var key = Term(depth + 1);
            if (key.Kind is not (ForeignKind.Word or ForeignKind.Text))
                throw Problem("has a key that is neither atom nor text");
            Blank();
            if (!_text.Take("=>")) throw Problem("misses \"=>\" behind a key");
            entries.Add(new(key.Text, Term(depth + 1)));
            Blank();
            if (_text.Take("}")) return new(ForeignKind.Map, line) { Entries = entries };
            if (!_text.Take(",")) throw Problem("misses a comma or \"}\"");
        }
    }

    private ForeignValue Binary()
    {
        var line = _text.Line;
        if (!_text.Take("<<"))
            throw Problem("is not a term: a list, tuple, map, text, number or atom");
        Blank();
        var content = _text.Current == '"' ? Strings() : "";
        Blank();
        _text.Take("/utf8");
        Blank();
        return _text.Take(">>")
            ? new(ForeignKind.Text, line) { Text = content }
            : throw Problem("has a binary that is no text: write it as <<\"…\">>");
    }

    // Texts beside each other are one.
    private string Strings()
    {
        var whole = new StringBuilder();
        while (_text.Current == '"')
        {
            whole.Append(Quoted('"'));
            Blank();
        }

        return whole.ToString();
    }

    private string Quoted(char quote)
    {
        var line = _text.Line;
        _text.Skip(1);
        var content = new StringBuilder();
        while (!_text.AtEnd)
        {
            if (_text.Current == '\\')
            {
                content.Append(Escape());
                continue;
            }

            var next = _text.Next();
            if (next == quote) return content.ToString();
            content.Append(next);
        }

        throw new ForeignFormatException(line, "opens a quote that is never closed");
    }

    private char Escape()
    {
        _text.Skip(1);
        var name = _text.Next();
        return name switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            's' => ' ',
            '"' or '\'' or '\\' => name,
            _ => throw Problem("has an escape that is not understood; write the character itself"),
        };
    }

    private ForeignValue Number()
    {
        var line = _text.Line;
        var sign = _text.Take("-") ? -1 : 1;
        var digits = _text.While(c => char.IsAsciiDigit(c) || c == '_').Replace("_", "", StringComparison.Ordinal);
        if (_text.Current == '.' && char.IsAsciiDigit(_text.Ahead(1)))
        {
            _text.Skip(1);
            var fraction = _text.While(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '+');
            return new(ForeignKind.Word, line) { Text = $"{(sign < 0 ? "-" : "")}{digits}.{fraction}" };
        }

        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(ForeignKind.Number, line) { Number = sign * number }
            : throw Problem("has a number that is none, or too long");
    }

    private void Blank()
    {
        while (!_text.AtEnd)
        {
            if (char.IsWhiteSpace(_text.Current)) _text.Skip(1);
            else if (_text.Current == '%') _text.While(c => c != '\n');
            else return;
        }
    }

    private ForeignFormatException Problem(string problem) => new(_text.Line, problem);
}
