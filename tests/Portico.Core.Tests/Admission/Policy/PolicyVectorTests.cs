using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Admission.Policy;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Admission.Policy;

/// <summary>The recorded decisions of policy.json, each case in its order against the same counters.</summary>
public class PolicyVectorTests
{
    private static readonly Dictionary<string, JsonElement> Cases = Load();

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_client_is_let_in_or_refused_by_the_rule_that_is_recorded(string name)
    {
        var vector = Cases[name];
        var tables = new Dictionary<string, List<string>>();
        foreach (var entry in vector.GetProperty("tables").EnumerateArray())
        {
            var table = entry.GetProperty("table").GetString()!;
            tables.TryAdd(table, []);
            tables[table].Add(entry.GetProperty("value").GetString()!);
        }

        var settings = Policies.Of(
            [.. vector.GetProperty("rules").EnumerateArray().Select(RuleOf)],
            tables.ToDictionary(table => table.Key, table => table.Value.ToArray()));
        var policy = new AccessPolicy(settings, "", NullLoggerFactory.Instance);
        var leases = new List<PolicyLease>();
        foreach (var check in vector.GetProperty("checks_in_order").EnumerateArray())
        {
            var domain = Encoding.ASCII.GetBytes(check.GetProperty("tls_domain").GetString() ?? "");
            var address = IPAddress.Parse(check.GetProperty("client_ip").GetString()!).GetAddressBytes();
            var caller = new PolicyCaller(check.GetProperty("listener").GetString()!, domain, address);
            var lease = default(PolicyLease);
            var refusing = policy.Rules?.Refusing(caller, out lease);
            leases.Add(lease);

            var expected = check.GetProperty("failing_rule_index");
            Assert.Equal(expected.ValueKind == JsonValueKind.Null ? null : expected.GetInt32(), refusing?.Index);
            Assert.Equal(check.GetProperty("result").GetString(), refusing is null ? "allow" : "reject");
        }

        foreach (var lease in leases) lease.Dispose();
        Assert.All(policy.Snapshot(), rule => Assert.Equal(0, rule.Tuples));
    }

    [Fact]
    public void A_client_refused_by_a_later_rule_is_not_counted_by_an_earlier_one()
    {
        var name = Cases.Keys.Single(name => name == "order and first failing rule");
        Each_client_is_let_in_or_refused_by_the_rule_that_is_recorded(name);

        // What the note of that vector recommends.
        var policy = new AccessPolicy(
            Policies.Of(
                [.. Cases[name].GetProperty("rules").EnumerateArray().Select(RuleOf)],
                new() { ["wl"] = ["a.com"], ["bl"] = ["9.9.9.9"] }),
            "", NullLoggerFactory.Instance);
        foreach (var domain in new[] { "a.com", "b.com" })
            policy.Rules!.Refusing(new PolicyCaller("p1", Encoding.ASCII.GetBytes(domain), [1, 1, 1, 1]), out _);
        Assert.Equal(1, Assert.Single(policy.Snapshot()[0].Largest).Count);
    }

    private static PolicyRuleOptions RuleOf(JsonElement rule) => rule.GetProperty("type").GetString() switch
    {
        "in_table" => Policies.InTable(KeyOf(rule.GetProperty("key")), rule.GetProperty("table").GetString()!),
        "not_in_table" => Policies.NotInTable(KeyOf(rule.GetProperty("key")), rule.GetProperty("table").GetString()!),
        _ => Policies.Most(rule.GetProperty("limit").GetInt32(), [.. rule.GetProperty("keys").EnumerateArray().Select(KeyOf)]),
    };

    private static string KeyOf(JsonElement key) => key.ValueKind == JsonValueKind.Array
        ? string.Create(CultureInfo.InvariantCulture, $"{key[0].GetString()}/{key[1].GetInt32()}")
        : key.GetString()!;

    private static Dictionary<string, JsonElement> Load()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", "policy.json")));
        return file.RootElement.GetProperty("cases").EnumerateArray()
            .ToDictionary(vector => vector.GetProperty("name").GetString()!, vector => vector.Clone());
    }
}
