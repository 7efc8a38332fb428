namespace Portico.Import.Reading;

/// <summary>What kind of value stands in another proxy's file.</summary>
internal enum ForeignKind
{
    /// <summary>A text in quotes, or a binary.</summary>
    Text,

    /// <summary>A whole number.</summary>
    Number,

    /// <summary>A bare word: an atom, true, None, a number with a fraction.</summary>
    Word,

    /// <summary>A list.</summary>
    List,

    /// <summary>A tuple.</summary>
    Tuple,

    /// <summary>Keys with values.</summary>
    Map,

    /// <summary>Something that only the other proxy's own language could work out.</summary>
    Computed,
}

/// <summary>A key and its value.</summary>
/// <param name="Key">As written.</param>
/// <param name="Value">Its value.</param>
internal readonly record struct ForeignEntry(string Key, ForeignValue Value);

/// <summary>A value of another proxy's file, whatever the file's language.</summary>
/// <param name="kind">What it is.</param>
/// <param name="line">Where it stands, from 1; 0 = nowhere in particular.</param>
internal sealed class ForeignValue(ForeignKind kind, int line)
{
    /// <summary>Levels of lists and maps that a file may have: far more than any has.</summary>
    public const int Deepest = 32;

    /// <summary>What it is.</summary>
    public ForeignKind Kind => kind;

    /// <summary>Where it stands.</summary>
    public int Line => line;

    /// <summary>Of a text or a word.</summary>
    public string Text { get; init; } = "";

    /// <summary>Of a number.</summary>
    public long Number { get; init; }

    /// <summary>Of a list or a tuple.</summary>
    public IReadOnlyList<ForeignValue> Items { get; init; } = [];

    /// <summary>Of a map.</summary>
    public IReadOnlyList<ForeignEntry> Entries { get; init; } = [];

    /// <summary>Nothing of it: it may be a secret.</summary>
    public override string ToString() => kind.ToString();
}
