namespace Portico.Core.Background;

/// <summary>
/// The heap of the process: in a container with a limit the runtime gives it three quarters of that, and ends the process when it needs
/// more, however much the rest leaves free.
/// </summary>
internal sealed class HeapMemory
{
    private readonly long _limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>What is on it, dead objects included: few, since the collector looks each 512 KB (<c>Gen0MaxBudget</c>).</summary>
    public MemoryFigures Read() => new(GC.GetTotalMemory(forceFullCollection: false), _limit, "the heap");

    /// <summary>Has the dead collected, and their pages given back. Stops all threads for milliseconds.</summary>
    public static void Collect()
    {
        // Rented buffers that came back when sessions were given up live in the oldest generation, which
        // the collector looks at when others are allocated there. Until it does they count against the limit.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
