using System.Buffers;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// The base path of a WEB proxy as apps store it: segments of letters, digits, hyphens and underscores, case counts, no slash at
/// either end; empty = the root.
/// </summary>
internal static class WebPath
{
    private const int MaxLength = 128;

    private const string Expected = "expected segments like app or two/segments";

    private static readonly SearchValues<char> SegmentCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>What an app makes of a path that somebody typed.</summary>
    /// <param name="typed">Any text; white space around it and one slash at either end do not count.</param>
    /// <param name="stored">What it stores; empty for the root and where it refuses.</param>
    /// <param name="error">A sentence that says what is wrong; empty when all is well.</param>
    public static bool TryRead(string typed, out string stored, out string error)
    {
        stored = "";
        var text = typed.AsSpan().Trim();
        if (text.StartsWith('/'))
            text = text[1..];
        if (text.EndsWith('/'))
            text = text[..^1];
        error = Complaint(text);
        if (error.Length > 0)
            return false;
        stored = text.ToString();
        return true;
    }

    /// <summary>Whether a path is written as apps store it.</summary>
    /// <param name="path">What the configuration says.</param>
    /// <param name="error">A sentence that names what to write instead; empty when all is well.</param>
    public static bool IsStored(string path, out string error)
    {
        if (!TryRead(path, out var stored, out error))
            return false;
        if (stored == path)
            return true;
        error = stored.Length == 0
            ? "The root of the WEB host has an empty path: write nothing instead of a slash."
            : $"The WEB path must be written as apps store it: {stored}.";
        return false;
    }

    private static string Complaint(ReadOnlySpan<char> path)
    {
        if (path.IsEmpty)
            return "";
        if (path.Length > MaxLength)
            return $"The WEB path has {path.Length} characters, apps take at most {MaxLength}.";
        foreach (var range in path.Split('/'))
        {
            var segment = path[range];
            if (segment.IsEmpty)
                return $"The WEB path has two slashes with nothing between them: {Expected}.";
            if (segment[0] is '-' or '_')
                return $"The WEB path has a segment that begins with neither a letter nor a digit: {Expected}.";
            if (segment.ContainsAnyExcept(SegmentCharacters))
                return $"The WEB path has a character that is neither letter, digit, hyphen nor underscore: {Expected}.";
        }

        return "";
    }
}
