using Portico.Import.Reading;

namespace Portico.Import;

/// <summary>
/// What becomes of one key of another proxy's file. The converter goes by these rules, and the page for people who change over
/// is printed from them.
/// </summary>
/// <param name="Key">The key, with its sections; a * at the end stands for any rest.</param>
/// <param name="Becomes">Ours; empty = it has no counterpart.</param>
/// <param name="Remark">How ours differs; without a counterpart, why and what to do.</param>
/// <param name="Take">Takes the value over; null = whoever has the key in the file is told the remark.</param>
internal sealed record KeyRule(string Key, string Becomes, string Remark, Action<ForeignValue>? Take = null)
{
    /// <summary>A remark that is the one of the rule before.</summary>
    public const string Likewise = "likewise";

    /// <summary>Other names of the same.</summary>
    public string[] Aliases { get; init; } = [];

    /// <summary>Of an option on a command line: a value follows it.</summary>
    public bool HasValue { get; init; }

    /// <summary>Whether this rule is about <paramref name="key"/>.</summary>
    public bool Covers(string key) =>
        Key.EndsWith('*')
            ? key.AsSpan().StartsWith(Key.AsSpan(0, Key.Length - 1), StringComparison.Ordinal)
            : key == Key || Aliases.Contains(key);
}
