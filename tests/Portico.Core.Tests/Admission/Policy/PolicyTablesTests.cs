using System.Text;
using Portico.Core.Admission.Policy;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Diagnostics;
using Xunit;

namespace Portico.Core.Tests.Admission.Policy;

/// <summary>Tables that operators change while the proxy runs.</summary>
public sealed class PolicyTablesTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("portico-tables");
    private readonly LogProbe _log = new();

    public void Dispose()
    {
        _log.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public void Values_are_added_and_removed_and_a_repeated_change_is_none()
    {
        var policy = Start("a.example");
        Assert.Equal(1, policy.Tables.Add("customers", PolicyKey.TlsDomain, ["B.example", "b.example", "a.example"]).Changed);
        Assert.True(Knows(policy, "b.example"));
        Assert.Equal(0, policy.Tables.Add("customers", null, ["b.example"]).Changed);
        Assert.Equal(2, policy.Tables.Remove("customers", null, ["a.example", "b.example", "c.example"]).Changed);
        Assert.False(Knows(policy, "a.example"));
        Assert.Equal(1, policy.Tables.Add("customers", null, ["a.example"]).Changed);
        Assert.Equal(new PolicyTableSnapshot("customers", PolicyKey.TlsDomain, 1, 0, 0), Assert.Single(policy.Tables.Snapshot()));
    }

    [Fact]
    public void What_was_changed_is_there_after_a_restart()
    {
        var policy = Start("a.example", "b.example");
        policy.Tables.Add("customers", null, ["c.example"]);
        policy.Tables.Remove("customers", null, ["a.example"]);
        policy = Start("a.example", "b.example");
        Assert.Equal("b c", Known(policy));
        Assert.Equal(new PolicyTableSnapshot("customers", PolicyKey.TlsDomain, 2, 1, 1), Assert.Single(policy.Tables.Snapshot()));
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void What_was_changed_stays_when_settings_are_replaced()
    {
        var policy = Start("a.example", "b.example");
        policy.Tables.Add("customers", null, ["c.example"]);
        policy.Tables.Remove("customers", null, ["a.example"]);
        policy.Replace(Customers("a.example", "d.example"));
        Assert.Equal("c d", Known(policy));
    }

    [Fact]
    public void A_change_that_the_configuration_makes_too_is_forgotten_also_over_a_restart()
    {
        var policy = Start("a.example");
        policy.Tables.Add("customers", null, ["c.example"]);
        policy.Tables.Remove("customers", null, ["a.example"]);
        policy.Replace(Customers("c.example"));
        policy = Start("a.example");
        Assert.True(Knows(policy, "a.example"));
        Assert.False(Knows(policy, "c.example"));
    }

    [Fact]
    public void An_emptied_table_holds_what_the_configuration_brings_later()
    {
        var policy = Start("a.example", "b.example");
        policy.Tables.Add("customers", null, ["c.example"]);
        Assert.Equal(3, policy.Tables.Empty("customers").Changed);
        policy = Start("a.example", "b.example", "d.example");
        Assert.Equal("d", Known(policy));
    }

    [Fact]
    public void A_table_that_no_rule_uses_for_the_moment_keeps_its_changes()
    {
        var policy = Start("a.example");
        policy.Tables.Add("customers", null, ["c.example"]);
        policy.Tables.Remove("customers", null, ["a.example"]);
        policy.Replace(new PolicySettings());
        policy = new AccessPolicy(new PolicySettings(), _directory.FullName, _log.Factory);
        policy.Replace(Customers("a.example"));
        Assert.True(Knows(policy, "c.example"));
        Assert.False(Knows(policy, "a.example"));
    }

    [Fact]
    public void A_table_is_filled_before_the_rule_that_uses_it_is_written()
    {
        var policy = new AccessPolicy(new PolicySettings(), _directory.FullName, _log.Factory);
        Assert.NotNull(policy.Tables.Add("customers", null, ["a.example"]).Refused);
        Assert.NotNull(policy.Tables.Add("two words", PolicyKey.TlsDomain, ["a.example"]).Refused);
        Assert.Equal(1, policy.Tables.Add("customers", PolicyKey.TlsDomain, ["a.example"]).Changed);
        policy.Replace(Customers());
        Assert.True(Knows(policy, "a.example"));
    }

    [Fact]
    public void A_value_of_another_key_or_of_none_is_refused_and_changes_nothing()
    {
        var policy = Start("a.example");
        var other = policy.Tables.Add("customers", PolicyKey.ClientV4(), ["203.0.113.7"]);
        Assert.Contains("tls_domain", other.Refused, StringComparison.Ordinal);
        var wrong = policy.Tables.Add("customers", null, ["b.example", "*.example"]);
        Assert.Contains("wildcards", wrong.Refused, StringComparison.Ordinal);
        Assert.False(Knows(policy, "b.example"));
        Assert.NotNull(policy.Tables.Empty("cusomers").Refused);
        Assert.False(File.Exists(KeptPath));
    }

    [Fact]
    public void Changes_are_dropped_with_a_line_when_the_rules_look_up_another_key()
    {
        var policy = Start("a.example");
        policy.Tables.Add("customers", null, ["c.example", "d.example"]);
        policy.Replace(Policies.Of([Policies.InTable("client_ipv4", "customers")], new() { ["customers"] = ["203.0.113.7"] }));
        Assert.Equal("TableHasOtherKey", Assert.Single(_log.Lines).EventName);
        Assert.Equal(new PolicyTableSnapshot("customers", PolicyKey.ClientV4(), 1, 0, 0), Assert.Single(policy.Tables.Snapshot()));
    }

    [Fact]
    public void More_changes_than_are_remembered_are_refused()
    {
        var policy = Start();
        var all = Enumerable.Range(0, PolicyTables.MostChanges).Select(i => $"name-{i}.example").ToArray();
        Assert.Equal(all.Length, policy.Tables.Add("customers", null, all).Changed);
        Assert.NotNull(policy.Tables.Add("customers", null, ["one-more.example"]).Refused);
        Assert.Equal(1, policy.Tables.Remove("customers", null, [all[0]]).Changed);
        Assert.Equal(1, policy.Tables.Add("customers", null, ["one-more.example"]).Changed);
        Assert.True(Knows(Start(), all[^1]));
    }

    [Theory]
    [InlineData("{ \"tables\": [")]
    [InlineData("{ \"tables\": [null] }")]
    [InlineData("{ \"tables\": [{ \"name\": \"customers\", \"key\": \"tls_domain\", \"added\": [null] }] }")]
    [InlineData("{ \"tables\": [{ \"name\": \"customers\", \"key\": \"colour\", \"added\": [\"red\"] }] }")]
    public void A_spoilt_file_is_told_and_put_aside_and_the_configuration_counts(string text)
    {
        File.WriteAllText(KeptPath, text);
        var policy = Start("a.example");
        Assert.True(Knows(policy, "a.example"));
        Assert.Equal("TablesDamaged", Assert.Single(_log.Lines).EventName);
        Assert.Equal(text, File.ReadAllText(KeptPath + ".damaged"));
    }

    [Fact]
    public void A_change_that_cannot_be_kept_is_in_force_and_says_so()
    {
        var policy = Start("a.example");
        Directory.CreateDirectory(KeptPath + ".partial"); // where the new file would be written first
        var change = policy.Tables.Add("customers", null, ["b.example"]);
        Assert.Equal(1, change.Changed);
        Assert.NotNull(change.NotKept);
        Assert.True(Knows(policy, "b.example"));
        Assert.Equal("TablesNotKept", Assert.Single(_log.Lines).EventName);
    }

    private string KeptPath => Path.Combine(_directory.FullName, KeptTables.FileName);

    private AccessPolicy Start(params string[] customers) => new(Customers(customers), _directory.FullName, _log.Factory);

    private static PolicySettings Customers(params string[] customers) =>
        Policies.Of([Policies.InTable("tls_domain", "customers")], new() { ["customers"] = customers });

    private static string Known(AccessPolicy policy) =>
        string.Join(' ', "abcd".Where(letter => Knows(policy, $"{letter}.example")));

    private static bool Knows(AccessPolicy policy, string name) =>
        policy.Rules!.Refusing(new PolicyCaller("main", Encoding.ASCII.GetBytes(name), []), out _) is null;
}
