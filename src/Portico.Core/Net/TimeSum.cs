namespace Portico.Core.Net;

/// <summary>How long something was the case, all times together.</summary>
internal struct TimeSum
{
    private long _beforeMs;
    private long _sinceMs;

    /// <summary>It is the case now.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Becomes the case, or ceases to be.</summary>
    public void Set(bool isRunning, long nowMs)
    {
        if (isRunning == IsRunning) return;
        if (isRunning) _sinceMs = nowMs;
        else _beforeMs = At(nowMs);
        IsRunning = isRunning;
    }

    /// <summary>The sum in milliseconds.</summary>
    public readonly long At(long nowMs) => IsRunning ? _beforeMs + (nowMs - _sinceMs) : _beforeMs;

    /// <summary>When the sum will be this large if it goes on being the case.</summary>
    public readonly long Reaches(long ms) => _sinceMs + (ms - _beforeMs);
}
