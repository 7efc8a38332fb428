using System.Collections.Immutable;
using Portico.Core.Net;
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

    /// <summary>Each engine with each of <paramref name="cases"/>.</summary>
    public static TheoryData<EngineKind, T> With<T>(params T[] cases)
    {
        var rows = new TheoryData<EngineKind, T>();
        foreach (var engine in Kinds)
        {
            foreach (var item in cases)
                rows.Add(engine, item);
        }
        return rows;
    }
}
