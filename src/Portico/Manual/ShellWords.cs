namespace Portico.Manual;

/// <summary>Words for shells of the family of sh.</summary>
internal static class ShellWords
{
    /// <summary>As one word, whatever it holds.</summary>
    public static string Quote(string words) => $"'{words.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
