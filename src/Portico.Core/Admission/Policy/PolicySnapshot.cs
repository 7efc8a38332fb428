using System.Collections.Immutable;
using Portico.Core.Options;

namespace Portico.Core.Admission.Policy;

/// <summary>Why was a client refused? One rule, at this moment.</summary>
/// <param name="Index">Position in the configuration.</param>
/// <param name="Kind">What it demands.</param>
/// <param name="Keys">What it looks at.</param>
/// <param name="Table">Where it looks values up; null = it counts.</param>
/// <param name="Limit">Clients at a time with the same keys; null = it looks values up.</param>
/// <param name="Refused">Clients that it has refused.</param>
/// <param name="Tuples">How many different values of the keys have clients.</param>
/// <param name="Largest">Those with the most clients, those first.</param>
internal sealed record PolicyRuleSnapshot(
    int Index, PolicyRuleKind Kind, ImmutableArray<PolicyKey> Keys, string? Table, int? Limit, long Refused, int Tuples,
    ImmutableArray<PolicyCount> Largest)
{
    /// <summary>Of a rule.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="most">How many tuples are named.</param>
    public static PolicyRuleSnapshot Of(ActiveRule rule, int most)
    {
        var (settings, counters) = (rule.Rule, rule.Tally.Counters);
        var counts = settings.Kind == PolicyRuleKind.MaxConnections;
        return new PolicyRuleSnapshot(
            rule.Index, settings.Kind, settings.Keys, settings.Table, counts ? settings.Limit : null, rule.Tally.Refused,
            counters.Tuples, [.. counters.Largest(most).Select(it => PolicyCount.Of(settings.Keys, it.Tuple, it.Count))]);
    }
}

/// <summary>How many clients have these values.</summary>
/// <param name="Values">In the order of the rule's keys.</param>
/// <param name="Count">Clients.</param>
internal sealed record PolicyCount(ImmutableArray<string> Values, int Count)
{
    /// <summary>Reads a tuple of a counter.</summary>
    public static PolicyCount Of(ImmutableArray<PolicyKey> keys, byte[] tuple, int count)
    {
        var values = ImmutableArray.CreateBuilder<string>(keys.Length);
        var at = 0;
        foreach (var key in keys)
        {
            values.Add(PolicyValue.Show(key, tuple.AsSpan(at + 1, tuple[at])));
            at += 1 + tuple[at];
        }

        return new PolicyCount(values.MoveToImmutable(), count);
    }
}

/// <summary>A table, at this moment.</summary>
/// <param name="Name">As rules call it.</param>
/// <param name="Key">What its values are.</param>
/// <param name="Size">Values in it.</param>
/// <param name="Added">Of them, those that the configuration does not have.</param>
/// <param name="Removed">Values of the configuration that are not in it.</param>
internal sealed record PolicyTableSnapshot(string Name, PolicyKey Key, int Size, int Added, int Removed);
