using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Portico.Core.Options;

namespace Portico.Core.Admission.Policy;

/// <summary>
/// Who may come in of those who know a secret (spec/05 section 4). One for all loops; outlives a change of the settings, as do the
/// sessions that it has counted.
/// </summary>
internal sealed class AccessPolicy
{
    /// <summary>Tuples that a snapshot names for each rule.</summary>
    public const int MostTuples = 100;

    private readonly Lock _gate = new();
    private volatile PolicyRules? _rules;

    /// <param name="settings">The first rules and tables.</param>
    /// <param name="directory">Data directory; empty = changes to tables are not kept.</param>
    /// <param name="loggers">For what an operator must know.</param>
    public AccessPolicy(PolicySettings settings, string directory, ILoggerFactory loggers)
    {
        Tables = new PolicyTables(directory, loggers.CreateLogger<PolicyTables>());
        Replace(settings);
    }

    /// <summary>Tables are not to be changed: they are on their way to another process.</summary>
    public bool IsHeld { get; set; }

    /// <summary>For operators.</summary>
    public PolicyTables Tables { get; }

    /// <summary>The rules in force; null = there are none, and everybody passes. May be replaced: take it once and ask it.</summary>
    public PolicyRules? Rules => _rules;

    /// <summary>Other settings: the next client is asked by them. A rule that was there before goes on with what it has counted.</summary>
    public void Replace(PolicySettings settings)
    {
        lock (_gate)
        {
            var tables = Tables.Replace(settings.Tables);
            var tallies = new List<ActiveRule>(_rules?.All ?? []);
            var rules = ImmutableArray.CreateBuilder<ActiveRule>(settings.Rules.Length);
            foreach (var rule in settings.Rules)
            {
                // Of several that are alike the first goes on with the first.
                var old = tallies.Find(it => AreAlike(it.Rule, rule));
                if (old is not null) tallies.Remove(old);
                rules.Add(new ActiveRule(rules.Count, rule, rule.Table is { } name ? tables[name] : null, old?.Tally ?? new RuleTally()));
            }

            _rules = rules.Count == 0 ? null : new PolicyRules(rules.MoveToImmutable());
        }
    }

    /// <summary>The rules with what they have counted; for an operator who asks why a client was refused.</summary>
    public ImmutableArray<PolicyRuleSnapshot> Snapshot() =>
        _rules is { } rules ? [.. rules.All.Select(rule => PolicyRuleSnapshot.Of(rule, MostTuples))] : [];

    private static bool AreAlike(PolicyRule one, PolicyRule other) =>
        one.Kind == other.Kind && one.Table == other.Table && one.Keys.AsSpan().SequenceEqual(other.Keys.AsSpan());
}
