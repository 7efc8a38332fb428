using System.Collections.Immutable;

namespace Portico.Core.Options;

/// <summary>Who may come in of those who know a secret (spec/05 section 4).</summary>
public sealed record PolicySettings
{
    /// <summary>In the order in which they are asked; the first that is not passed refuses.</summary>
    public ImmutableArray<PolicyRule> Rules { get; init; } = [];

    /// <summary>Every table that a rule names, and those that none does.</summary>
    public ImmutableArray<PolicyTable> Tables { get; init; } = [];
}

/// <summary>What a rule demands.</summary>
public enum PolicyRuleKind : byte
{
    /// <summary>The value of the key is in the table.</summary>
    InTable,

    /// <summary>The value of the key is not in the table.</summary>
    NotInTable,

    /// <summary>So many clients at a time have the same values of the keys, and no more.</summary>
    MaxConnections,
}

/// <summary>One rule.</summary>
/// <param name="Kind">What it demands.</param>
/// <param name="Keys">One, or with <see cref="PolicyRuleKind.MaxConnections"/> those that are counted together.</param>
/// <param name="Table">Where values are looked up; null = the rule counts.</param>
/// <param name="Limit">Clients at a time, of a rule that counts.</param>
public sealed record PolicyRule(PolicyRuleKind Kind, ImmutableArray<PolicyKey> Keys, string? Table = null, int Limit = 0)
{
    /// <summary>As the configuration and the metric call it.</summary>
    public string KindName => Kind switch
    {
        PolicyRuleKind.InTable => "inTable",
        PolicyRuleKind.NotInTable => "notInTable",
        _ => "maxConnections",
    };
}

/// <summary>A table of values as the configuration has it.</summary>
/// <param name="Name">As rules call it.</param>
/// <param name="Key">What the rules look up in it, and so what its values are; null = no rule uses it, and nobody can tell.</param>
/// <param name="Values">As written; each is one of <paramref name="Key"/>.</param>
public sealed record PolicyTable(string Name, PolicyKey? Key, ImmutableArray<string> Values);
