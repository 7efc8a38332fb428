using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Options;

/// <summary>Sections <c>policy</c> and <c>tables</c>.</summary>
public class PolicyOptionsTests
{
    public static TheoryData<string, string, Action<ProxyOptions>> Mistakes => new()
    {
        { "policy[0].rule", "is missing", o => o.Policy = [new()] },
        { "policy[0].rule", "did you mean \"inTable\"?", o => o.Policy = [new() { Rule = "in_table", Key = "tls_domain", Table = "t" }] },
        { "policy[0].key", "is missing", o => o.Policy = [new() { Rule = "inTable", Table = "names" }] },
        { "policy[0].key", "did you mean \"tls_domain\"?", o => o.Policy = [Policies.InTable("tls_domian", "names")] },
        { "policy[0].key", "is not one of", o => o.Policy = [Policies.InTable("colour", "names")] },
        { "policy[0].key", "did you mean \"client_ipv4_subnet/24\"?", o => o.Policy = [Policies.InTable("client_ipv4/24", "names")] },
        { "policy[0].key", "1 to 32", o => o.Policy = [Policies.InTable("client_ipv4_subnet", "names")] },
        { "policy[0].key", "1 to 32", o => o.Policy = [Policies.InTable("client_ipv4_subnet/0", "names")] },
        { "policy[0].key", "1 to 32", o => o.Policy = [Policies.InTable("client_ipv4_subnet/33", "names")] },
        { "policy[0].key", "9 to 128", o => o.Policy = [Policies.InTable("client_ipv6_subnet/8", "names")] },
        { "policy[0].key", "9 to 128", o => o.Policy = [Policies.InTable("client_ipv6_subnet/+64", "names")] },
        { "policy[0].table", "is missing", o => o.Policy = [new() { Rule = "notInTable", Key = "tls_domain" }] },
        { "policy[0].table", "letters", o => o.Policy = [Policies.InTable("tls_domain", "two words")] },
        { "policy[0].table", "did you mean \"names\"?", o => o.Policy = [Policies.InTable("tls_domain", "nmaes")] },
        {
            "policy[0].keys", "\"key\": \"tls_domain\"",
            o => o.Policy = [new() { Rule = "inTable", Keys = ["tls_domain"], Table = "names" }]
        },
        {
            "policy[0].limit", "belongs to maxConnections",
            o => o.Policy = [new() { Rule = "inTable", Key = "tls_domain", Table = "names", Limit = 1 }]
        },
        { "policy[0].limit", "is missing", o => o.Policy = [new() { Rule = "maxConnections", Keys = ["port_name"] }] },
        { "policy[0].limit", "outside 1..", o => o.Policy = [Policies.Most(0, "port_name")] },
        { "policy[0].keys", "at least one", o => o.Policy = [Policies.Most(1)] },
        {
            "policy[0].key", "\"keys\": [\"port_name\"]",
            o => o.Policy = [new() { Rule = "maxConnections", Key = "port_name", Limit = 1 }]
        },
        {
            "policy[0].table", "belongs to inTable",
            o => o.Policy = [new() { Rule = "maxConnections", Keys = ["port_name"], Limit = 1, Table = "names" }]
        },
        { "policy[0].keys[1]", "is there already", o => o.Policy = [Policies.Most(1, "client_ipv4", "client_ipv4_subnet/32")] },
        { "policy[0].keys[1]", "a rule of its own", o => o.Policy = [Policies.Most(1, "client_ipv4", "client_ipv6_subnet/64")] },
        { "policy[0].keys[1]", "is not one of", o => o.Policy = [Policies.Most(1, "client_ipv4", "")] },
        {
            "policy[1].key", "a table of its own",
            o => o.Policy = [Policies.InTable("tls_domain", "names"), Policies.InTable("port_name", "names")]
        },
        {
            "policy[1].key", "policy[0] looks up client_ipv4_subnet/24",
            o => (o.Policy, o.Tables["names"]) =
                ([Policies.InTable("client_ipv4_subnet/24", "names"), Policies.InTable("client_ipv4", "names")], [])
        },
        { "policy", "101 rules", o => o.Policy = [.. Enumerable.Repeat(Policies.Most(1, "port_name"), 101)] },
        { "tables.two words", "letters", o => (o.Tables["two words"], o.Policy) = ([], [Policies.InTable("tls_domain", "names")]) },
        { "tables.names[1]", "not a host name", o => Names(o, "tls_domain", "a.example", "a..example") },
        { "tables.names[0]", "is an address", o => Names(o, "tls_domain", "203.0.113.7") },
        { "tables.names[0]", "no wildcards", o => Names(o, "tls_domain", "*.example.com") },
        { "tables.names[0]", "ASCII form", o => Names(o, "tls_domain", "bücher.example") },
        { "tables.names[0]", "not an IP address", o => Names(o, "client_ipv4", "a.example") },
        { "tables.names[0]", "not an IP address", o => Names(o, "client_ipv4", "127.1") },
        { "tables.names[0]", "other family", o => Names(o, "client_ipv4", "2001:db8::1") },
        { "tables.names[0]", "other family", o => Names(o, "client_ipv6", "::ffff:203.0.113.7") },
        { "tables.names[0]", "how many bits", o => Names(o, "client_ipv4_subnet/24", "203.0.112.0/20") },
        { "tables.names[0]", "how many bits", o => Names(o, "client_ipv4", "203.0.113.0/24") },
        { "tables.names[0]", "no name of a listener", o => Names(o, "port_name", "two words") },
    };

    public static TheoryData<string, string, Action<ProxyOptions>> Follies => new()
    {
        { "tables.names", "used by no rule", _ => { } },
        {
            "policy[1].table", "is empty until",
            o => o.Policy = [Policies.InTable("tls_domain", "names"), Policies.InTable("client_ipv4", "banned")]
        },
        {
            "policy[0].key", "listeners[0] lets such clients in",
            o => (o.Policy, o.Listeners[0].Protocols) = ([Policies.InTable("tls_domain", "names")], ["fake-tls", "secure"])
        },
        {
            "policy[1].keys", "listeners[0] lets such clients in",
            o => (o.Policy, o.Listeners[0].Protocols) =
                ([Policies.InTable("client_ipv4", "names"), Policies.Most(3, "port_name", "tls_domain")], ["fake-tls", "classic"])
        },
        { "tables.names[0]", "no listener has the name", o => Names(o, "port_name", "mian") },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_by_its_key(string key, string says, Action<ProxyOptions> make)
    {
        var error = Assert.Single(Parse(make).Errors);
        Assert.Equal(key, error.Key);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Follies))]
    public void What_is_unwise_is_warned_of(string key, string says, Action<ProxyOptions> make)
    {
        var parsed = Parse(make);
        Assert.Empty(parsed.Errors);
        var warning = Assert.Single(parsed.Warnings);
        Assert.Equal(key, warning.Key);
        Assert.Contains(says, warning.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void All_mistakes_are_told_at_once()
    {
        var parsed = Parse(o =>
        {
            o.Policy = [Policies.InTable("tls_domian", "names"), Policies.Most(0, "port"), Policies.NotInTable("client_ipv4", "bad")];
            o.Tables["bad"] = ["x", "203.0.113.7", "y"];
        });
        Assert.Equal(
            ["policy[0].key", "policy[1].keys[0]", "policy[1].limit", "tables.bad[0]", "tables.bad[2]"],
            parsed.Errors.Select(error => error.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Everything_that_is_written_is_kept()
    {
        var parsed = Parse(o =>
        {
            o.Policy =
            [
                Policies.InTable("tls_domain", "names"), Policies.NotInTable("client_ipv6_subnet/48", "banned"),
                Policies.Most(15, "port_name", "client_ipv4"),
            ];
            o.Tables = new() { ["names"] = ["A.example", "a_b.example"], ["banned"] = ["2001:db8:1::/48", "2001:db8:2::77"] };
        });
        Assert.Empty(parsed.Warnings);
        var policy = parsed.Settings!.Policy;
        Assert.Equal(
            ["inTable tls_domain names 0", "notInTable client_ipv6_subnet/48 banned 0", "maxConnections port_name,client_ipv4  15"],
            policy.Rules.Select(rule => $"{rule.KindName} {string.Join(',', rule.Keys)} {rule.Table} {rule.Limit}"));
        Assert.Equal(
            ["names tls_domain A.example,a_b.example", "banned client_ipv6_subnet/48 2001:db8:1::/48,2001:db8:2::77"],
            policy.Tables.Select(table => $"{table.Name} {table.Key} {string.Join(',', table.Values)}"));
    }

    [Fact]
    public void Without_rules_nobody_is_refused()
    {
        var policy = Parse(o => o.Tables = []).Settings!.Policy;
        Assert.Empty(policy.Rules);
        Assert.Empty(policy.Tables);
    }

    private static void Names(ProxyOptions options, string key, params string[] values) =>
        (options.Policy, options.Tables["names"]) = ([Policies.InTable(key, "names")], values);

    private static ParsedOptions Parse(Action<ProxyOptions> change)
    {
        var options = new ProxyOptions
        {
            Listeners = [new() { Secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90", Domain = "www.example.com" }],
            Tables = new() { ["names"] = [] },
        };
        change(options);
        return ProxyOptionsParser.Parse(options, ".");
    }
}
