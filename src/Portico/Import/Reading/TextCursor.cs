namespace Portico.Import.Reading;

/// <summary>A place in a text that is read from left to right, and the line it is in.</summary>
internal sealed class TextCursor(string text)
{
    /// <summary>Behind the last character.</summary>
    public const char End = '\0';

    private int _at;

    /// <summary>From 1.</summary>
    public int Line { get; private set; } = 1;

    /// <summary>Nothing is left.</summary>
    public bool AtEnd => _at >= text.Length;

    /// <summary>The character here.</summary>
    public char Current => Ahead(0);

    /// <summary>A character further on.</summary>
    public char Ahead(int count) => _at + count < text.Length ? text[_at + count] : End;

    /// <summary>Whether <paramref name="word"/> stands here.</summary>
    public bool Sees(string word) => string.CompareOrdinal(text, _at, word, 0, word.Length) == 0;

    /// <summary>Goes on by one character, and returns it.</summary>
    public char Next()
    {
        var taken = Current;
        Skip(1);
        return taken;
    }

    /// <summary>Goes on.</summary>
    public void Skip(int count)
    {
        for (var end = Math.Min(text.Length, _at + count); _at < end; _at++)
        {
            if (text[_at] == '\n') Line++;
        }
    }

    /// <summary>Goes over <paramref name="word"/> if it stands here.</summary>
    public bool Take(string word)
    {
        if (!Sees(word)) return false;
        Skip(word.Length);
        return true;
    }

    /// <summary>All characters from here that are wanted.</summary>
    public string While(Func<char, bool> isWanted)
    {
        var start = _at;
        while (!AtEnd && isWanted(Current)) Skip(1);
        return text[start.._at];
    }
}
