namespace Portico.Core.Background;

/// <summary>Where figures of memory come from: the system, and the heap of this process. For one thread.</summary>
internal sealed class MemorySource : IDisposable
{
    // Opened by the first look: a start has better things to do.
    private MemoryReader? _system;
    private HeapMemory? _heap;

    /// <summary>The tightest of all.</summary>
    public MemoryFigures Read() => MemoryFigures.Tighter(
        (_system ??= MemoryReader.OfThisMachine()).Read(), (_heap ??= new HeapMemory()).Read());

    public void Dispose() => _system?.Dispose();
}
