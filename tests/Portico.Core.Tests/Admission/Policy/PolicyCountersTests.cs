using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Admission.Policy;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Admission.Policy;

public class PolicyCountersTests
{
    private static readonly PolicySettings Usual = Policies.Of(
        [
            Policies.InTable("tls_domain", "customers"), Policies.NotInTable("client_ipv4", "banned"),
            Policies.Most(1_000_000, "port_name", "tls_domain"),
        ],
        new() { ["customers"] = ["a.example.com"], ["banned"] = ["203.0.113.7"] });

    private static readonly PolicySettings Counting = Policies.Of(
        Policies.Most(1_000_000, "port_name", "tls_domain"), Policies.Most(1_000_000, "client_ipv4"),
        Policies.Most(1_000_000, "client_ipv4_subnet/24"));

    [Fact]
    public void A_lease_lowers_what_it_raised_once()
    {
        var policy = Of(Counting);
        Assert.Null(Enter(policy, 1, out var first));
        Assert.Null(Enter(policy, 1, out var second));
        first.Dispose();
        first.Dispose();
        Assert.All(policy.Snapshot(), rule => Assert.Equal(1, Assert.Single(rule.Largest).Count));
        second.Dispose();
        Assert.All(policy.Snapshot(), rule => Assert.Equal(0, rule.Tuples));
    }

    [Fact]
    public void A_snapshot_names_rule_keys_limit_refusals_and_the_tuples_with_the_most_clients_first()
    {
        var policy = Of(Policies.Of(
            [Policies.Most(3, "client_ipv4_subnet/24", "port_name"), Policies.NotInTable("client_ipv6", "bad")],
            new() { ["bad"] = [] }));
        var clients = new[] { "10.0.0.1", "10.0.1.1", "10.0.1.2", "10.0.0.2", "10.0.0.3", "10.0.0.4" };
        foreach (var client in clients) policy.Rules!.Refusing(new PolicyCaller("main", [], Bytes(client)), out _);

        var limit = policy.Snapshot()[0];
        Assert.Equal((0, PolicyRuleKind.MaxConnections, 3, 1L), (limit.Index, limit.Kind, limit.Limit, limit.Refused));
        Assert.Equal(["client_ipv4_subnet/24", "port_name"], limit.Keys.Select(key => key.ToString()));
        Assert.Equal(
            ["10.0.0.0/24 main 3", "10.0.1.0/24 main 2"], limit.Largest.Select(it => $"{string.Join(' ', it.Values)} {it.Count}"));
        var table = policy.Snapshot()[1];
        Assert.Equal((1, "bad", (int?)null, 0L), (table.Index, table.Table, table.Limit, table.Refused));
        Assert.Empty(table.Largest);
    }

    [Fact]
    public void A_snapshot_of_many_tuples_names_a_hundred_of_them_and_says_how_many_there_are()
    {
        var policy = Of(Policies.Of(Policies.Most(10, "client_ipv4")));
        for (var i = 0; i < 1000; i++)
        {
            for (var times = i == 500 ? 3 : 1; times > 0; times--)
                policy.Rules!.Refusing(new PolicyCaller("main", [], [10, 0, (byte)(i >> 8), (byte)i]), out _);
        }

        var rule = Assert.Single(policy.Snapshot());
        Assert.Equal((1000, AccessPolicy.MostTuples), (rule.Tuples, rule.Largest.Length));
        Assert.Equal(("10.0.1.244", 3), (rule.Largest[0].Values[0], rule.Largest[0].Count));
    }

    [Fact]
    public void Of_rules_that_are_alike_each_goes_on_with_its_own_counts_when_settings_are_replaced()
    {
        var policy = Of(Policies.Of(Policies.Most(5, "client_ipv4"), Policies.Most(1, "client_ipv4")));
        Enter(policy, 1, out var lease);
        Enter(policy, 1, out _);
        policy.Replace(Policies.Of(
            Policies.Most(9, "port_name"), Policies.Most(4, "client_ipv4"),
            Policies.Most(2, "client_ipv4"), Policies.Most(2, "client_ipv4")));
        Assert.Equal([0, 1, 1, 0], policy.Snapshot().Select(rule => rule.Tuples));
        Assert.Equal([0L, 0, 1, 0], policy.Snapshot().Select(rule => rule.Refused));
        lease.Dispose();
        Assert.All(policy.Snapshot(), rule => Assert.Equal(0, rule.Tuples));
    }

    [Fact]
    public void Host_names_longer_than_any_count_as_one_when_they_begin_alike()
    {
        var policy = Of(Policies.Of(Policies.Most(1, "tls_domain")));
        var name = Enumerable.Repeat((byte)'x', 4000).ToArray();
        Assert.Null(policy.Rules!.Refusing(new PolicyCaller("main", name, []), out _));
        Assert.NotNull(policy.Rules!.Refusing(new PolicyCaller("main", name.AsSpan(1), []), out _));
        Assert.Null(policy.Rules!.Refusing(new PolicyCaller("main", name.AsSpan(0, 253), []), out _));
    }

    [Fact]
    public void Without_rules_there_is_nothing_to_ask()
    {
        var policy = Of(new PolicySettings());
        Assert.Null(policy.Rules);
        policy.Replace(Usual);
        Assert.NotNull(policy.Rules);
        policy.Replace(new PolicySettings());
        Assert.Null(policy.Rules);
    }

    /// <summary>Of clients whose values are known already; a new value takes some 100 bytes until the last of its clients goes.</summary>
    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 48)]
    public void Three_rules_take_at_most_64_bytes_per_client(bool allCount, int most)
    {
        var policy = Of(allCount ? Counting : Usual);
        var leases = new PolicyLease[1000];
        Enter(policy, 1, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < leases.Length; i++) Enter(policy, 1, out leases[i]);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        for (var i = 0; i < leases.Length; i++) leases[i].Dispose();
        Assert.InRange(allocated / leases.Length, 0, most);
        Assert.Equal(sizeof(long), Unsafe.SizeOf<PolicyLease>());
    }

    /// <summary>A model that keeps its own books, in one thread: connects, closes and replacements by chance.</summary>
    [Fact]
    public void Whatever_comes_and_goes_and_whatever_the_rules_become_all_counts_are_right_and_end_at_nothing()
    {
        var seeds = Environment.GetEnvironmentVariable("PORTICO_SLOW") is null ? 100 : 10_000;
        for (var seed = 0; seed < seeds; seed++) Try(seed);

        static void Try(int seed)
        {
#pragma warning disable RS0030 // a repeatable sequence is wanted, not an unpredictable one
            var chance = new Random(seed);
#pragma warning restore RS0030
            var policy = Of(Draw(chance));
            var seen = new List<PolicyRules>();
            var clients = new List<(PolicyLease Lease, int Domain, int Address)>();
            for (var step = 0; step < 200; step++)
            {
                if (policy.Rules is { } rules && !seen.Contains(rules)) seen.Add(rules);
                switch (chance.Next(10))
                {
                    case 0:
                        policy.Replace(Draw(chance));
                        break;
                    case < 4 when clients.Count > 0:
                        var index = chance.Next(clients.Count);
                        var leaving = clients[index].Lease;
                        leaving.Dispose();
                        clients.RemoveAt(index);
                        break;
                    default:
                        var (domain, address) = (chance.Next(3), chance.Next(3));
                        if (policy.Rules is { } current && current.Refusing(
                            new PolicyCaller("main", domain == 0 ? [] : Name(domain), [10, 0, 0, (byte)address]), out var lease) is null)
                            clients.Add((lease, domain, address));
                        break;
                }

                foreach (var rule in policy.Snapshot().Where(rule => rule.Limit is not null))
                    Assert.All(rule.Largest, tuple => Assert.InRange(tuple.Count, 1, clients.Count));
            }

            foreach (var (lease, _, _) in clients) lease.Dispose();
            Assert.All(seen.SelectMany(rules => rules.All), rule => Assert.Equal(0, rule.Tally.Counters.Tuples));
        }
    }

    [Fact]
    public async Task Loops_that_let_clients_in_at_once_never_let_in_more_than_the_limit_and_leave_nothing()
    {
        const int Threads = 4, Times = 20_000, Limit = 3;
        var policy = Of(Policies.Of(Policies.Most(Limit, "client_ipv4"), Policies.Most(Threads, "port_name")));
        var (inside, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < Times; i++)
                {
                    if (Enter(policy, 1, out var lease) is not null) continue;
                    var now = Interlocked.Increment(ref inside);
                    if (now > Volatile.Read(ref most)) Volatile.Write(ref most, now);
                    Interlocked.Decrement(ref inside);
                    lease.Dispose();
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.InRange(most, 1, Limit);
        Assert.All(policy.Snapshot(), rule => Assert.Equal(0, rule.Tuples));
    }

    private static PolicySettings Draw(Random chance)
    {
        PolicyRuleOptions[] all =
        [
            Policies.Most(1 + chance.Next(4), "client_ipv4"), Policies.Most(1 + chance.Next(8), "port_name"),
            Policies.Most(1 + chance.Next(4), "tls_domain", "client_ipv4_subnet/24"), Policies.InTable("tls_domain", "names"),
            Policies.Most(1 + chance.Next(4), "client_ipv4"), Policies.NotInTable("client_ipv4", "banned"),
        ];
        chance.Shuffle(all);
        return Policies.Of(all[..chance.Next(all.Length + 1)], new() { ["names"] = ["name-1.example"], ["banned"] = ["10.0.0.2"] });
    }

    private static byte[] Name(int number) => Encoding.ASCII.GetBytes($"name-{number}.example");

    private static ActiveRule? Enter(AccessPolicy policy, byte client, out PolicyLease lease) =>
        policy.Rules!.Refusing(new PolicyCaller("main", "A.example.com"u8, [10, 0, 0, client]), out lease);

    private static byte[] Bytes(string address) => IPAddress.Parse(address).GetAddressBytes();

    private static AccessPolicy Of(PolicySettings settings) => new(settings, "", NullLoggerFactory.Instance);
}
