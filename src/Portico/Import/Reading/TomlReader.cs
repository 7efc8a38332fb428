using Tomlyn;
using Tomlyn.Parsing;

namespace Portico.Import.Reading;

/// <summary>TOML, as mtg and telemt read it.</summary>
internal static class TomlReader
{
    /// <summary>The whole file as one map.</summary>
    /// <exception cref="ForeignFormatException">It is not TOML.</exception>
    public static ForeignValue Read(string text)
    {
        var parser = TomlParser.Create(text); // which bounds the depth itself
        try
        {
            while (parser.MoveNext())
            {
                if (parser.Current.Kind == TomlParseEventKind.StartTable)
                    return Value(parser, 0);
            }
        }
        catch (Exception problem) when (problem is TomlException or ArgumentException)
        {
            // An escape that the end of the file cuts is an argument of the library's own that it does not check.
            throw new ForeignFormatException(
                (problem as TomlException)?.Line ?? text.AsSpan().Count('\n') + 1,
                "is not valid TOML: look there for a missing quote or bracket, or for one too many");
        }

        return new ForeignValue(ForeignKind.Map, 1);
    }

    private static ForeignValue Value(TomlParser parser, int nameLine)
    {
        var read = parser.Current;
        var line = read.Line > 0 ? read.Line : nameLine; // a table that a heading opens has no place of its own
        return read.Kind switch
        {
            TomlParseEventKind.StartTable => Table(parser, line),
            TomlParseEventKind.StartArray => Array(parser, line),
            TomlParseEventKind.String => new(ForeignKind.Text, line) { Text = parser.GetString() },
            TomlParseEventKind.Integer => new(ForeignKind.Number, line) { Number = read.GetInt64() },
            TomlParseEventKind.Boolean => new(ForeignKind.Word, line) { Text = read.GetBoolean() ? "true" : "false" },
            TomlParseEventKind.DateTime => new(ForeignKind.Word, line) { Text = read.GetTomlDateTime().ToString() },
            _ => new(ForeignKind.Word, line) { Text = "a number with a fraction" },
        };
    }

    private static ForeignValue Table(TomlParser parser, int line)
    {
        var (entries, places) = (new List<ForeignEntry>(), new Dictionary<string, int>(StringComparer.Ordinal));
        while (parser.MoveNext() && parser.Current.Kind != TomlParseEventKind.EndTable)
        {
            var (name, at) = (parser.GetPropertyName(), parser.Current.Line);
            if (!parser.MoveNext()) break;
            var value = Value(parser, at);
            if (places.TryAdd(name, entries.Count))
                entries.Add(new(name, value));
            else
                entries[places[name]] = new(name, Together(entries[places[name]].Value, value, at));
        }

        return new(ForeignKind.Map, line) { Entries = entries };
    }

    private static ForeignValue Array(TomlParser parser, int line)
    {
        var items = new List<ForeignValue>();
        while (parser.MoveNext() && parser.Current.Kind != TomlParseEventKind.EndArray) items.Add(Value(parser, line));
        return new(ForeignKind.List, line) { Items = items };
    }

    // [a] may go on after [b], and so may the elements of [[a]]. A value cannot.
    private static ForeignValue Together(ForeignValue one, ForeignValue other, int line)
    {
        if (one.Kind == ForeignKind.List && other.Kind == ForeignKind.List
            && one.Items.Concat(other.Items).All(item => item.Kind == ForeignKind.Map))
            return new(ForeignKind.List, one.Line) { Items = [.. one.Items, .. other.Items] };
        if (one.Kind != ForeignKind.Map || other.Kind != ForeignKind.Map)
            throw new ForeignFormatException(line, "has a key that is there already; keep one of them");

        var entries = new List<ForeignEntry>(one.Entries);
        var places = entries.Select((entry, i) => (entry.Key, i)).ToDictionary(pair => pair.Key, pair => pair.i, StringComparer.Ordinal);
        foreach (var entry in other.Entries)
        {
            if (places.TryGetValue(entry.Key, out var at))
                entries[at] = new(entry.Key, Together(entries[at].Value, entry.Value, entry.Value.Line));
            else entries.Add(entry);
        }

        return new(ForeignKind.Map, one.Line) { Entries = entries };
    }
}
