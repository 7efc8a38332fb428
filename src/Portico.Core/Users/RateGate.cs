namespace Portico.Core.Users;

/// <summary>
/// A token bucket that is one point in time: until then, all bytes that the rate allows have been moved. What is moved pushes it on; while
/// it is ahead of the clock nothing more may be moved. No timer, no lock: whoever waits looks again in a while.
/// </summary>
internal struct RateGate
{
    // So much may be caught up on after a pause.
    private const long BurstMicroseconds = 100_000;

    // What one session takes at once, in parts of a second, and at least.
    private const int PartsPerSecond = 20, LeastAtOnce = 4096, MostAtOnce = 1 << 20;

    private long _bytesPerSecond;
    private long _untilMicroseconds;

    /// <summary>There is a rate.</summary>
    public readonly bool IsSet => Volatile.Read(in _bytesPerSecond) != 0;

    /// <summary>Bytes that one session should move before others have their turn.</summary>
    public readonly int AtOnce
    {
        get
        {
            var rate = Volatile.Read(in _bytesPerSecond);
            return rate == 0 ? int.MaxValue : (int)Math.Clamp(rate / PartsPerSecond, LeastAtOnce, MostAtOnce);
        }
    }

    /// <summary>Another rate. What was moved at the old one is forgotten.</summary>
    /// <param name="bytesPerSecond">null = no limit.</param>
    public void Apply(long? bytesPerSecond)
    {
        if (Volatile.Read(ref _bytesPerSecond) == (bytesPerSecond ?? 0)) return;
        Interlocked.Exchange(ref _untilMicroseconds, 0);
        Volatile.Write(ref _bytesPerSecond, bytesPerSecond ?? 0);
    }

    /// <summary>Whether anything may be moved.</summary>
    public readonly bool IsOpen(long nowMs) =>
        Volatile.Read(in _bytesPerSecond) == 0 || Volatile.Read(in _untilMicroseconds) <= nowMs * 1000;

    /// <summary>In how many milliseconds anything may be moved; 0 = now.</summary>
    public readonly int OpensInMs(long nowMs) =>
        IsSet ? (int)Math.Clamp((Volatile.Read(in _untilMicroseconds) / 1000) - nowMs, 0, int.MaxValue) : 0;

    /// <summary>Bytes were moved, which cannot be taken back: the time until the next ones grows by them.</summary>
    public void Pass(int bytes, long nowMs)
    {
        var rate = Volatile.Read(ref _bytesPerSecond);
        if (rate == 0 || bytes == 0) return;
        var takes = (long)((double)bytes * 1_000_000 / rate);
        var earliest = (nowMs * 1000) - BurstMicroseconds;
        while (true)
        {
            var until = Volatile.Read(ref _untilMicroseconds);
            var next = Math.Max(until, earliest) + takes;
            if (Interlocked.CompareExchange(ref _untilMicroseconds, next, until) == until) return;
        }
    }
}
