namespace Portico.Hosting;

/// <summary>What the terminal can show, from what it says of itself.</summary>
/// <param name="Colours">Whether colours may be set: not for TERM=dumb, nor where NO_COLOR is set (no-color.org).</param>
/// <param name="Blocks">Whether block characters can be drawn: not for TERM=dumb, nor with another character set than UTF-8.</param>
/// <param name="Width">Columns; 0 = not known.</param>
internal sealed record Terminal(bool Colours, bool Blocks, int Width)
{
    /// <summary>A file or a pipe: every character, no colour.</summary>
    public static Terminal None { get; } = new(Colours: false, Blocks: true, Width: 0);

    /// <summary>The one that stdout leads to; null if it leads elsewhere.</summary>
    public static Terminal? OfOutput() => Console.IsOutputRedirected ? null : From(Environment.GetEnvironmentVariable, WidthOfConsole());

    /// <summary>By its environment.</summary>
    public static Terminal From(Func<string, string?> variable, int width)
    {
        var isDumb = variable("TERM") is null or "" or "dumb";
        var colours = !isDumb && string.IsNullOrEmpty(variable("NO_COLOR"));
        return new(colours, Blocks: !isDumb && IsUtf8(variable), width);
    }

    // The first that is set counts; where none is, most terminals speak UTF-8 all the same.
    private static bool IsUtf8(Func<string, string?> variable)
    {
        foreach (var name in (string[])["LC_ALL", "LC_CTYPE", "LANG"])
        {
            if (variable(name) is { Length: > 0 } locale)
                return locale.Contains("utf-8", StringComparison.OrdinalIgnoreCase)
                    || locale.Contains("utf8", StringComparison.OrdinalIgnoreCase);
        }

        return true;
    }

    private static int WidthOfConsole()
    {
        try
        {
            return Console.WindowWidth;
        }
        catch (IOException)
        {
            return 0; // gone in between
        }
    }
}
