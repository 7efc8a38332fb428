using Portico.Core.Net;
using Xunit;

namespace Portico.IntegrationTests;

/// <summary>Every engine with both ways to Telegram.</summary>
public static class EveryWay
{
    private static readonly bool[] Modes = [false, true];

    /// <summary>For what mostly waits: runs it on all of them at once, and says on which it did not do.</summary>
    /// <param name="run">With the engine, and whether it is middle mode.</param>
    public static async Task AtOnceAsync(Func<EngineKind, bool, Task> run)
    {
        var ways = Engines.Kinds.SelectMany(_ => Modes, (engine, isMiddle) => (Engine: engine, IsMiddle: isMiddle));
        var problems = await Task.WhenAll(ways.Select(async way =>
        {
            var problem = await Record.ExceptionAsync(() => run(way.Engine, way.IsMiddle));
            return problem is null ? null : $"{way.Engine}, {(way.IsMiddle ? "middle" : "direct")}: {problem}";
        }));
        Assert.All(problems, Assert.Null);
    }
}
