using Portico.Core.Options;
using Xunit;

namespace Portico.Core.Tests.Staging;

/// <summary>Rules and tables as an operator writes them.</summary>
internal static class Policies
{
    public static PolicyRuleOptions InTable(string key, string table) => new() { Rule = "inTable", Key = key, Table = table };

    public static PolicyRuleOptions NotInTable(string key, string table) => new() { Rule = "notInTable", Key = key, Table = table };

    public static PolicyRuleOptions Most(int limit, params string[] keys) => new() { Rule = "maxConnections", Keys = keys, Limit = limit };

    /// <summary>Rules that need no table, or find theirs empty.</summary>
    public static PolicySettings Of(params PolicyRuleOptions[] rules) => Of(rules, []);

    /// <summary>Rules and tables, which must be right.</summary>
    public static PolicySettings Of(PolicyRuleOptions[] rules, Dictionary<string, string[]> tables)
    {
        var errors = new List<ConfigurationError>();
        var settings = new PolicyOptionsParser(errors, []).Parse(rules, tables, []);
        Assert.Empty(errors);
        return settings;
    }

    /// <summary>For the settings of a stage.</summary>
    public static Func<ProxySettings, ProxySettings> With(PolicySettings policy) => settings => settings with { Policy = policy };
}
