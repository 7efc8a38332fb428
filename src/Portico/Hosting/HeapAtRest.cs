namespace Portico.Hosting;

/// <summary>When the heap is worth compacting, by what has been allocated. For <see cref="RestingHeap"/>.</summary>
internal struct HeapAtRest
{
    // What is allocated between two looks at rest, and what makes the next collection worth its pause.
    private const long MostAtRest = 128 * 1024, LeastNew = 1024 * 1024;

    // Of the time no more than half a hundredth is spent so; nor is a large heap moved for a few new clients.
    private const long PausesBetween = 200, NewPartOfHeap = 4;

    private long _seen;
    private long _collected;
    private long _nextMs;

    /// <summary>It would be the time if there were rest.</summary>
    public bool IsWorthIt { get; private set; }

    /// <summary>Whether now is the time.</summary>
    /// <param name="nowMs">Of a clock that stands still for nobody.</param>
    /// <param name="allocated">Bytes since the start of the process.</param>
    /// <param name="heap">Bytes in use, dead objects included.</param>
    public bool IsDue(long nowMs, long allocated, long heap)
    {
        var isAtRest = allocated - _seen < MostAtRest;
        _seen = allocated;
        IsWorthIt = nowMs >= _nextMs && allocated - _collected >= Math.Max(LeastNew, heap / NewPartOfHeap);
        return isAtRest && IsWorthIt;
    }

    /// <summary>It was compacted.</summary>
    /// <param name="nowMs">When that began.</param>
    /// <param name="pauseMs">How long it took.</param>
    public void Collected(long nowMs, long pauseMs) => (_collected, _nextMs, IsWorthIt) = (_seen, nowMs + (PausesBetween * pauseMs), false);
}
