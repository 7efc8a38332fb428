namespace Portico.Core.Background;

/// <summary>Where figures of memory come from: the system, and the heap of this process. For one thread.</summary>
internal sealed class MemorySource : IDisposable
{
    private readonly MemoryReader _system = MemoryReader.OfThisMachine();
    private readonly HeapMemory _heap = new();

    /// <summary>The tightest of all.</summary>
    public MemoryFigures Read() => MemoryFigures.Tighter(_system.Read(), _heap.Read());

    public void Dispose() => _system.Dispose();
}
