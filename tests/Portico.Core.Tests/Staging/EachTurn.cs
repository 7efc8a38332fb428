using Portico.Core.Net;
using Portico.TestKit.Memory;

namespace Portico.Core.Tests.Staging;

/// <summary>
/// Another inhabitant of the loop: has its turn in every turn until
/// it is told to stop, and so sees what happens in between.
/// </summary>
internal sealed class EachTurn(MemoryLoop loop, Func<int, bool> goOn) : ILoopTask
{
    /// <summary>How many turns it has had.</summary>
    public int Turns { get; private set; }

    /// <summary>Calls <paramref name="goOn"/> with 1 in the next turn, 2 in the one after it, … until it says false.</summary>
    public static EachTurn Watch(MemoryLoop loop, Func<int, bool> goOn)
    {
        var watch = new EachTurn(loop, goOn);
        loop.Enqueue(watch);
        return watch;
    }

    public void Run()
    {
        if (goOn(++Turns)) loop.Enqueue(this);
    }

    public void OnFault(Exception error) => throw new InvalidOperationException("a watching test failed", error);
}
