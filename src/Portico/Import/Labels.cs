namespace Portico.Import;

/// <summary>Makes names of ours of any names: letters, digits, dots, dashes and underscores, none twice.</summary>
internal sealed class Labels
{
    private const int Longest = 56; // of 64, so that a number has room behind it

    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private int _numbers = 1;

    /// <summary>The name itself where it can be had, else one like it.</summary>
    public string Take(string wanted)
    {
        var allowed = string.Concat(wanted.Take(Longest).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_'));
        var unique = allowed.Trim('_').Length > 0 ? allowed : "user";
        for (var start = unique; !_taken.Add(unique); unique = $"{start}-{++_numbers}")
        {
        }

        return unique;
    }
}
