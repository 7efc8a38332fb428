using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using Portico.Core.Admission.Policy;
using Portico.Core.Options;

namespace Portico.Core.Control;

/// <summary>The rules and tables of a running proxy. Nothing here waits for a loop.</summary>
public sealed class PolicyControl
{
    /// <summary>Values on a page of a table.</summary>
    public const int MostValues = 500;

    private readonly AccessPolicy _policy;

    internal PolicyControl(AccessPolicy policy) => _policy = policy;

    /// <summary>All rules and tables.</summary>
    public PolicyReport Report() => new(
        [
            .. _policy.Snapshot().Select(rule => new PolicyRuleStatus(
                rule.Index, NameOf(rule.Kind), [.. rule.Keys.Select(key => key.ToString())], rule.Table, rule.Limit, rule.Refused,
                rule.Tuples, [.. rule.Largest.Select(tuple => new PolicyTupleStatus(tuple.Values, tuple.Count))])),
        ],
        [.. _policy.Tables.Snapshot().Select(it => new TableStatus(it.Name, it.Key.ToString(), it.Size, it.Added, it.Removed))],
        Answer: null);

    /// <summary>What would become of a client that came now. Nothing is counted.</summary>
    /// <param name="listener">Name of the listener.</param>
    /// <param name="domain">The host that it names; null = it speaks no TLS.</param>
    /// <param name="address">Its address; null = not known.</param>
    public PolicyAnswer Ask(string listener, string? domain, IPAddress? address)
    {
        if (_policy.Rules is not { } rules) return new(true, null, []);
        var name = Encoding.UTF8.GetBytes(domain ?? "");
        var verdicts = rules.Ask(new PolicyCaller(listener, name, address?.GetAddressBytes() ?? []));
        var refusing = verdicts.Find(verdict => !verdict.Passes);
        return new(refusing is null, refusing?.Rule.Index, [.. verdicts.Select(AnswerOf)]);
    }

    /// <summary>What is in a table.</summary>
    /// <param name="table">Its name.</param>
    /// <param name="cursor"><see cref="TablePage.Next"/> of the page before; null = the first.</param>
    /// <param name="limit">Values on the page, 1 to <see cref="MostValues"/>.</param>
    /// <returns>Null if there is no such table, or the cursor is none.</returns>
    public TablePage? Page(string table, string? cursor, int limit)
    {
        if (_policy.Tables.Find(table) is not { } content || !TryPosition(cursor, out var first))
            return null;
        var values = content.Values.Select(value => PolicyValue.Show(content.Key, value)).Order(StringComparer.Ordinal);
        var page = values.Skip(first).Take(limit).ToImmutableArray();
        var next = first + page.Length < content.Size ? (first + page.Length).ToString(CultureInfo.InvariantCulture) : null;
        var status = new TableStatus(table, content.Key.ToString(), content.Size, content.Added.Count, content.Removed.Count);
        return new(status, page, next);
    }

    /// <summary>Puts values into a table, or takes them out. Kept in the data directory.</summary>
    /// <param name="table">Its name; one that no rule uses yet is made.</param>
    /// <param name="key">What the values are, such as tls_domain; null = what the rules look up in it.</param>
    /// <param name="values">As an operator writes them.</param>
    /// <param name="adds">Whether they come or go.</param>
    /// <param name="problem">Why nothing was changed; null = it was.</param>
    /// <exception cref="ProxyBusyException">Another process is taking over.</exception>
    public TableEdit? Change(string table, string? key, IReadOnlyCollection<string> values, bool adds, out string? problem)
    {
        PolicyKey? parsed = null;
        if (key is not null)
        {
            if (!PolicyKey.TryParse(key, out var known, out problem)) return null;
            parsed = known;
        }

        ThrowIfHeld();
        return EditOf(table, adds ? _policy.Tables.Add(table, parsed, values) : _policy.Tables.Remove(table, parsed, values), out problem);
    }

    /// <summary>Takes all values out of a table, those of the configuration too.</summary>
    /// <param name="table">Its name.</param>
    /// <param name="problem">Why nothing was changed; null = it was.</param>
    /// <exception cref="ProxyBusyException">Another process is taking over.</exception>
    public TableEdit? Empty(string table, out string? problem)
    {
        ThrowIfHeld();
        return EditOf(table, _policy.Tables.Empty(table), out problem);
    }

    // It has read the tables already, or is about to.
    private void ThrowIfHeld()
    {
        if (_policy.IsHeld)
            throw new ProxyBusyException("another process is taking over; nothing was changed, ask again in a moment");
    }

    private TableEdit? EditOf(string table, TableChange change, out string? problem)
    {
        problem = change.Refused;
        return problem is null ? new(change.Changed, _policy.Tables.Find(table)?.Size ?? 0, change.NotKept) : null;
    }

    private static bool TryPosition(string? cursor, out int position)
    {
        position = 0;
        return cursor is null || int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out position);
    }

    private static PolicyAnswerRule AnswerOf(PolicyVerdict verdict)
    {
        var rule = verdict.Rule.Rule;
        var counts = rule.Kind == PolicyRuleKind.MaxConnections;
        ImmutableArray<string>? values = verdict.Tuple is { } tuple ? PolicyCount.Of(rule.Keys, tuple, 0).Values : null;
        return new(
            verdict.Rule.Index, rule.KindName, verdict.Passes, values, counts && values is not null ? verdict.Count : null,
            counts ? rule.Limit : null);
    }

    private static string NameOf(PolicyRuleKind kind) => new PolicyRule(kind, []).KindName;
}
