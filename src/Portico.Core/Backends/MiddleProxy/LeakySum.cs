namespace Portico.Core.Backends.MiddleProxy;

/// <summary>A sum of milliseconds that loses a tenth of the time that passes: what is spent comes back within ten times as long.</summary>
internal struct LeakySum
{
    private const int Leak = 10;

    private double _level;
    private long _atMs;

    /// <summary>What is left of it now.</summary>
    public readonly double At(long nowMs) => Math.Max(0, _level - ((nowMs - _atMs) / (double)Leak));

    /// <summary>Adds what has just been spent.</summary>
    public void Add(long spentMs, long nowMs)
    {
        _level = At(nowMs) + spentMs;
        _atMs = nowMs;
    }
}
