using System.Collections.Immutable;

namespace Portico.Core.Options;

/// <summary>The sections <c>policy</c> and <c>tables</c>. The result is complete only if no error was added.</summary>
internal sealed class PolicyOptionsParser(List<ConfigurationError> errors, List<ConfigurationError> warnings)
{
    /// <summary>Rules that there may be; each costs every client time.</summary>
    public const int MostRules = 100;

    /// <summary>Tables that there may be, and values of one of them.</summary>
    public const int MostTables = 100, MostValues = 100_000;

    private const int MostKeys = 8;

    private readonly Dictionary<string, (PolicyKey? Key, string Path)> _uses = new(StringComparer.Ordinal);

    /// <summary>Parses both sections.</summary>
    /// <param name="rules">As written.</param>
    /// <param name="tables">As written.</param>
    /// <param name="listeners">Whose clients are meant.</param>
    public PolicySettings Parse(
        PolicyRuleOptions[] rules, Dictionary<string, string[]> tables, ImmutableArray<ListenerSettings> listeners)
    {
        if (rules.Length > MostRules)
            errors.Add(new("policy", $"has {rules.Length} rules where {MostRules} may be"));
        if (tables.Count > MostTables)
            errors.Add(new("tables", $"has {tables.Count} tables where {MostTables} may be"));
        var parsed = ImmutableArray.CreateBuilder<PolicyRule>(rules.Length);
        for (var i = 0; i < rules.Length; i++)
        {
            if (ParseRule(rules[i], $"policy[{i}]", tables) is not { } rule) continue;
            parsed.Add(rule);
            WarnOfClientsWithoutDomain(rule, $"policy[{i}]", listeners);
        }

        return new PolicySettings { Rules = parsed.ToImmutable(), Tables = ParseTables(tables, listeners) };
    }

    // Null after an error.
    private PolicyRule? ParseRule(PolicyRuleOptions rule, string path, Dictionary<string, string[]> tables)
    {
        switch (rule.Rule)
        {
            case null:
                errors.Add(new($"{path}.rule", "is missing; for example \"rule\": \"maxConnections\""));
                return null;
            case "maxConnections":
                return ParseLimit(rule, path);
            case "inTable" or "notInTable":
                return ParseLookUp(rule, path, tables);
            default:
                return null; // reported by the rule of the option
        }
    }

    private PolicyRule? ParseLookUp(PolicyRuleOptions rule, string path, Dictionary<string, string[]> tables)
    {
        if (rule.Limit is not null)
            errors.Add(new($"{path}.limit", $"belongs to maxConnections; {rule.Rule} has none, leave it away"));
        if (rule.Keys.Length > 0)
        {
            errors.Add(new(
                $"{path}.keys", $"belongs to maxConnections; {rule.Rule} looks up one key: \"key\": \"{Example(rule.Keys[0])}\""));
        }

        PolicyKey? key = null;
        if (rule.Key is { } text)
            key = ParseKey(text, $"{path}.key");
        else if (rule.Keys.Length == 0)
            errors.Add(new($"{path}.key", "is missing; for example \"key\": \"tls_domain\""));

        if (rule.Table is null)
        {
            errors.Add(new($"{path}.table", "is missing; for example \"table\": \"banned\""));
            return null;
        }

        if (!NameLabel.IsOne(rule.Table))
        {
            errors.Add(new($"{path}.table", $"{ShownText.Quote(rule.Table)} {NameRule}"));
            return null;
        }

        if (!tables.ContainsKey(rule.Table)) ReportAbsent(rule.Table, path, tables);
        NoteUse(rule.Table, key, path);
        return key is null
            ? null
            : new PolicyRule(
                rule.Rule == "inTable" ? PolicyRuleKind.InTable : PolicyRuleKind.NotInTable, [key.Value], rule.Table);
    }

    private PolicyRule? ParseLimit(PolicyRuleOptions rule, string path)
    {
        if (rule.Table is not null)
            errors.Add(new($"{path}.table", "belongs to inTable and notInTable; maxConnections has none, leave it away"));
        if (rule.Key is not null)
            errors.Add(new($"{path}.key", $"belongs to inTable and notInTable; write \"keys\": [\"{Example(rule.Key)}\"]"));
        else if (rule.Keys.Length == 0)
            errors.Add(new($"{path}.keys", """needs at least one; for example "keys": ["port_name", "client_ipv4"]"""));
        if (rule.Keys.Length > MostKeys)
            errors.Add(new($"{path}.keys", $"has {rule.Keys.Length} keys where {MostKeys} may be"));
        if (rule.Limit is null)
            errors.Add(new($"{path}.limit", "is missing; for example \"limit\": 15"));
        var keys = ImmutableArray.CreateBuilder<PolicyKey>(rule.Keys.Length);
        for (var i = 0; i < rule.Keys.Length; i++)
        {
            if (ParseKey(rule.Keys[i], $"{path}.keys[{i}]") is not { } key) continue;
            if (keys.Contains(key))
                errors.Add(new($"{path}.keys[{i}]", $"\"{key}\" is there already; leave it away"));
            else if (IsOtherFamily(keys, key))
            {
                errors.Add(new($"{path}.keys[{i}]", "no client has an IPv4 and an IPv6 address, so that the rule would count nobody; "
                    + "make a rule of its own for each family"));
            }
            else keys.Add(key);
        }

        return new PolicyRule(PolicyRuleKind.MaxConnections, keys.ToImmutable(), Limit: rule.Limit ?? 1);
    }

    private static bool IsOtherFamily(IEnumerable<PolicyKey> keys, PolicyKey key) => key.Kind switch
    {
        PolicyKeyKind.ClientV4 => keys.Any(other => other.Kind == PolicyKeyKind.ClientV6),
        PolicyKeyKind.ClientV6 => keys.Any(other => other.Kind == PolicyKeyKind.ClientV4),
        _ => false,
    };

    private PolicyKey? ParseKey(string text, string path)
    {
        if (PolicyKey.TryParse(text, out var key, out var problem)) return key;
        errors.Add(new(path, problem));
        return null;
    }

    // A misspelt name would be an empty table, which lets everybody in or nobody.
    private void ReportAbsent(string name, string path, Dictionary<string, string[]> tables)
    {
        if (DidYouMean.Closest(name, tables.Keys) is { } meant)
        {
            errors.Add(new($"{path}.table", $"{ShownText.Quote(name)} is not in tables; did you mean {ShownText.Quote(meant)}? "
                + $"A table that is filled later is written as \"{name}\": []"));
            return;
        }

        warnings.Add(new($"{path}.table", $"{ShownText.Quote(name)} is not in tables, so it is empty until values are added "
            + $"while the proxy runs; if that is meant, write \"tables\": {{ \"{name}\": [] }}"));
    }

    private void NoteUse(string table, PolicyKey? key, string path)
    {
        if (!_uses.TryGetValue(table, out var first)) _uses.Add(table, (key, path));
        else if (first.Key is null) _uses[table] = (key, path);
        else if (key is not null && key != first.Key)
        {
            errors.Add(new($"{path}.key", $"looks {key} up in {ShownText.Quote(table)}, where {first.Path} looks up {first.Key}: "
                + "a table holds values of one key; give this rule a table of its own"));
        }
    }

    private ImmutableArray<PolicyTable> ParseTables(Dictionary<string, string[]> tables, ImmutableArray<ListenerSettings> listeners)
    {
        var parsed = ImmutableArray.CreateBuilder<PolicyTable>();
        foreach (var (name, values) in tables)
        {
            var path = $"tables.{ShownText.WithoutSecrets(name)}";
            if (!NameLabel.IsOne(name))
                errors.Add(new(path, $"{ShownText.Quote(name)} {NameRule}"));
            if (values.Length > MostValues)
                errors.Add(new(path, $"has {values.Length} values where {MostValues} may be"));
            if (!_uses.TryGetValue(name, out var use))
                warnings.Add(new(path, $"is used by no rule; for example {{ \"rule\": \"notInTable\", \"key\": \"client_ipv4\", "
                    + $"\"table\": {ShownText.Quote(name)} }} in policy"));
            if (use.Key is { } key) CheckValues(key, values, path, listeners);
            parsed.Add(new PolicyTable(name, use.Key, [.. values]));
        }

        parsed.AddRange(_uses.Where(use => !tables.ContainsKey(use.Key)).Select(use => new PolicyTable(use.Key, use.Value.Key, [])));
        return parsed.ToImmutable();
    }

    private void CheckValues(PolicyKey key, string[] values, string path, ImmutableArray<ListenerSettings> listeners)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!PolicyValue.TryParse(key, values[i], out _, out var problem))
            {
                errors.Add(new($"{path}[{i}]", problem));
            }
            else if (key.Kind == PolicyKeyKind.PortName && !listeners.Any(listener => listener.Name == values[i]))
            {
                warnings.Add(new($"{path}[{i}]", $"no listener has the name {ShownText.Quote(values[i])}; "
                    + $"there are {string.Join(", ", listeners.Select(listener => ShownText.Quote(listener.Name)))}"));
            }
        }
    }

    private void WarnOfClientsWithoutDomain(PolicyRule rule, string path, ImmutableArray<ListenerSettings> listeners)
    {
        if (!rule.Keys.Contains(PolicyKey.TlsDomain)) return;
        const ClientProtocols WithoutTls = ClientProtocols.Secure | ClientProtocols.Classic;
        var open = listeners.Select((listener, i) => (listener.Protocols, Path: $"listeners[{i}]"))
            .Where(it => (it.Protocols & WithoutTls) != 0).Select(it => it.Path).ToList();
        if (open.Count == 0) return;
        warnings.Add(new(
            rule.Kind == PolicyRuleKind.MaxConnections ? $"{path}.keys" : $"{path}.key",
            $"clients without TLS have no tls_domain and pass this rule, and {string.Join(", ", open)} "
                + "lets such clients in; if that is not meant, \"protocols\": [\"fake-tls\"]"));
    }

    private const string NameRule = "must be 1 to 64 letters, digits, dots, dashes or underscores; for example \"banned\"";

    // What was written, if it can stand in an example.
    private static string Example(string written) => PolicyKey.TryParse(written, out var key, out _) ? key.ToString() : "client_ipv4";
}
