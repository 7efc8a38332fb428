namespace Portico.Core.Options;

/// <summary>Finds the name that somebody probably meant.</summary>
public static class DidYouMean
{
    /// <summary>
    /// The closest of <paramref name="names"/>, or null if none is close:
    /// a third of the word, and at least two letters, may differ. Case does not count.
    /// </summary>
    public static string? Closest(string written, IEnumerable<string> names)
    {
        var best = names.Select(name => (Name: name, Distance: Distance(written.ToUpperInvariant(), name.ToUpperInvariant())))
            .OrderBy(pair => pair.Distance).FirstOrDefault();
        return best.Name is not null && best.Distance <= Math.Max(2, written.Length / 3) && best.Distance < best.Name.Length
            ? best.Name
            : null;
    }

    // Levenshtein: insertions, deletions and replacements, one row at a time.
    private static int Distance(string one, string other)
    {
        // no key of ours is that long, and the product below stays small
        if (one.Length > 64) return int.MaxValue;
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var replaced = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
