using System.Collections.Immutable;
using Portico.Core.Net;
using Portico.IntegrationTests.Hostile;
using Xunit;

namespace Portico.IntegrationTests;

/// <summary>
/// Every engine that this system has: each integration test runs on all of them,
/// and they must not differ in anything a peer can see.
/// </summary>
public static class Engines
{
    /// <summary>For a test that runs all of them against the same thing at the same time.</summary>
    public static ImmutableArray<EngineKind> Kinds { get; } =
        OperatingSystem.IsLinux() ? [EngineKind.Epoll, EngineKind.Sockets] : [EngineKind.Sockets];

    public static TheoryData<EngineKind> All => [.. Kinds];

    /// <summary>For tests that measure: the first alone, and all of them with `./check --slow`.</summary>
    public static IEnumerable<EngineKind> Measured => Siege.IsSlow ? Kinds : Kinds.Take(1);

    /// <summary>Each engine with each of <paramref name="cases"/>.</summary>
    public static TheoryData<EngineKind, T> With<T>(params T[] cases) => With(Kinds, cases);

    /// <summary>Each of some engines with each of <paramref name="cases"/>.</summary>
    public static TheoryData<EngineKind, T> With<T>(IEnumerable<EngineKind> engines, params T[] cases)
    {
        var rows = new TheoryData<EngineKind, T>();
        foreach (var engine in engines)
        {
            foreach (var item in cases)
                rows.Add(engine, item);
        }
        return rows;
    }
}
