using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Admission.Policy;
using Portico.Core.Options;

namespace Portico.Benchmarks.Admission;

/// <summary>What a client costs that is asked by three rules and goes again: two tables and a limit, or three limits.</summary>
public class PolicyBenchmarks
{
    private static readonly PolicyKey[] Keys = [PolicyKey.TlsDomain, PolicyKey.ClientV4(), PolicyKey.PortName];

    private readonly byte[] _address = [192, 0, 2, 1];
    private AccessPolicy _tables = null!, _limits = null!;

    [GlobalSetup]
    public void Prepare()
    {
        _tables = Of(new PolicySettings
        {
            Rules =
            [
                new PolicyRule(PolicyRuleKind.InTable, [PolicyKey.TlsDomain], "customers"),
                new PolicyRule(PolicyRuleKind.NotInTable, [PolicyKey.ClientV4()], "banned"),
                new PolicyRule(PolicyRuleKind.MaxConnections, [PolicyKey.PortName, PolicyKey.TlsDomain], Limit: 15),
            ],
            Tables =
            [
                new PolicyTable("customers", PolicyKey.TlsDomain, [.. Enumerable.Range(0, 10_000).Select(i => $"host-{i}.example.com")]),
                new PolicyTable("banned", PolicyKey.ClientV4(), [.. Enumerable.Range(0, 10_000).Select(i => $"10.0.{i >> 8}.{i & 255}")]),
            ],
        });
        _limits = Of(new PolicySettings
        {
            Rules = [.. Keys.Select(key => new PolicyRule(PolicyRuleKind.MaxConnections, [key], Limit: 15))],
        });
    }

    [Benchmark(Baseline = true)]
    public bool TwoTablesAndALimit() => ComeAndGo(_tables);

    [Benchmark]
    public bool ThreeLimits() => ComeAndGo(_limits);

    private bool ComeAndGo(AccessPolicy policy)
    {
        var refusing = policy.Rules!.Refusing(new PolicyCaller("main", "host-77.example.com"u8, _address), out var lease);
        lease.Dispose();
        return refusing is null;
    }

    private static AccessPolicy Of(PolicySettings settings) => new(settings, "", NullLoggerFactory.Instance);
}
