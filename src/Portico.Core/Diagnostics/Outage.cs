namespace Portico.Core.Diagnostics;

/// <summary>
/// Something that we need and cannot reach: when an operator is to be told. At once, at most once a minute while it lasts, and once when it
/// works again. From any thread; what is said is the user's.
/// </summary>
internal sealed class Outage
{
    private readonly LineLimit _lines = new(LineLimit.MinuteMs);
    private long _failures;
    private int _isTold;

    /// <summary>The operator was told, and not yet that it is over.</summary>
    public bool IsTold => Volatile.Read(ref _isTold) != 0;

    /// <summary>It did not work. True: say so.</summary>
    /// <param name="nowMs">Monotonic.</param>
    /// <param name="failures">How often it did not since it worked last, this time included.</param>
    public bool Failed(long nowMs, out long failures)
    {
        failures = Interlocked.Increment(ref _failures);
        if (!_lines.TryPass(nowMs, out _)) return false;
        Volatile.Write(ref _isTold, 1);
        return true;
    }

    /// <summary>It worked. True: say that it does again. Cheap while nothing was wrong.</summary>
    /// <param name="failures">How often it had not.</param>
    public bool Worked(out long failures)
    {
        failures = Interlocked.Read(ref _failures);
        if (failures == 0) return false;
        failures = Interlocked.Exchange(ref _failures, 0);
        return Interlocked.Exchange(ref _isTold, 0) != 0;
    }
}
