using System.Collections.Immutable;
using Portico.Core.Options;

namespace Portico.Core.Admission.Policy;

/// <summary>The rules of one generation of settings, ready to be asked. Immutable but for what they count.</summary>
internal sealed class PolicyRules
{
    private readonly ImmutableArray<ActiveRule> _rules;
    private readonly int _counting;
    private readonly int _room;

    public PolicyRules(ImmutableArray<ActiveRule> rules)
    {
        _rules = rules;
        _counting = rules.Count(rule => rule.Rule.Kind == PolicyRuleKind.MaxConnections);
        _room = rules.Max(rule => rule.Rule.Keys.Sum(key => 1 + PolicyValue.Most(key)));
        var keys = rules.SelectMany(rule => rule.Rule.Keys).ToList();
        NeedsDomain = keys.Exists(key => key.Kind == PolicyKeyKind.TlsDomain);
        NeedsAddress = keys.Exists(key => key.Kind is PolicyKeyKind.ClientV4 or PolicyKeyKind.ClientV6);
    }

    /// <summary>A rule goes by the host that the client names.</summary>
    public bool NeedsDomain { get; }

    /// <summary>A rule goes by its address.</summary>
    public bool NeedsAddress { get; }

    /// <summary>All of them, in order.</summary>
    public ImmutableArray<ActiveRule> All => _rules;

    /// <summary>May it come in?</summary>
    /// <param name="caller">The client.</param>
    /// <param name="lease">What it counts as from now on; nothing if it is refused.</param>
    /// <returns>Null, or the first rule that it does not pass.</returns>
    public ActiveRule? Refusing(in PolicyCaller caller, out PolicyLease lease)
    {
        lease = default;
        Span<byte> room = stackalloc byte[_room];
        foreach (var rule in _rules)
        {
            if (Passes(rule, caller, room, ref lease)) continue;
            lease.Dispose();
            rule.Tally.CountRefused();
            return rule;
        }

        return null;
    }

    /// <summary>What each rule would say to a client that came now. Nothing is counted.</summary>
    public List<PolicyVerdict> Ask(in PolicyCaller caller)
    {
        var verdicts = new List<PolicyVerdict>(_rules.Length);
        Span<byte> room = stackalloc byte[_room];
        foreach (var rule in _rules)
        {
            var length = WriteTuple(rule.Rule, caller, room);
            var tuple = length < 0 ? null : room[..length].ToArray();
            var count = tuple is not null && rule.Table is null ? rule.Tally.Counters.CountOf(tuple) : 0;
            var passes = tuple is null
                || (rule.Table is { } table ? rule.Accepts(table.Contains(tuple.AsSpan(1))) : count < rule.Rule.Limit);
            verdicts.Add(new PolicyVerdict(rule, tuple, passes, count));
        }

        return verdicts;
    }

    /// <summary>Do the tables allow a name? Only rules that look up tls_domain are asked, and nothing is counted.</summary>
    public bool Allow(ReadOnlySpan<byte> name)
    {
        Span<byte> value = stackalloc byte[PolicyValue.MaxLength];
        value = value[..PolicyValue.WriteDomain(name, value)];
        foreach (var rule in _rules)
        {
            if (rule.Table is { } table && rule.Rule.Keys[0].Kind == PolicyKeyKind.TlsDomain && !rule.Accepts(table.Contains(value)))
                return false;
        }

        return true;
    }

    private bool Passes(ActiveRule rule, in PolicyCaller caller, Span<byte> room, ref PolicyLease lease)
    {
        if (rule.Table is { } table)
        {
            var length = caller.Write(rule.Rule.Keys[0], room);
            return length < 0 || rule.Accepts(table.Contains(room[..length]));
        }

        var end = WriteTuple(rule.Rule, caller, room);
        if (end < 0) return true;
        if (!rule.Tally.Counters.TryRaise(room[..end], rule.Rule.Limit, out var counter))
            return false;
        lease.Add(counter, _counting);
        return true;
    }

    // Each value behind its length: no two tuples are the same bytes. -1 = the client lacks one of them.
    private static int WriteTuple(PolicyRule rule, in PolicyCaller caller, Span<byte> room)
    {
        var end = 0;
        foreach (var key in rule.Keys)
        {
            var length = caller.Write(key, room[(end + 1)..]);
            if (length < 0) return -1;
            room[end] = (byte)length;
            end += 1 + length;
        }

        return end;
    }
}

/// <summary>A rule with what it needs.</summary>
/// <param name="Index">Position in the configuration.</param>
/// <param name="Rule">As it was configured.</param>
/// <param name="Table">Where it looks values up; null = it counts.</param>
/// <param name="Tally">What it has counted.</param>
internal sealed record ActiveRule(int Index, PolicyRule Rule, LiveTable? Table, RuleTally Tally)
{
    /// <summary>Of a rule that looks up: is the answer the one that it wants?</summary>
    public bool Accepts(bool isInTable) => isInTable == (Rule.Kind == PolicyRuleKind.InTable);
}

/// <summary>What a rule has counted. Goes on with the same rule when settings are replaced, whatever its limit and place then.</summary>
internal sealed class RuleTally
{
    private long _refused;

    /// <summary>Clients that it has refused.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Clients that it has let in and that are still there.</summary>
    public PolicyCounters Counters { get; } = new();

    public void CountRefused() => Interlocked.Increment(ref _refused);
}

/// <summary>What a rule would say to a client.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Tuple">What it would go by, each value behind its length; null = the client has no such thing, and passes.</param>
/// <param name="Passes">Whether the client passes.</param>
/// <param name="Count">Clients with the same values, of a rule that counts.</param>
internal sealed record PolicyVerdict(ActiveRule Rule, byte[]? Tuple, bool Passes, int Count);
