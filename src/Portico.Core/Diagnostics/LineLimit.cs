namespace Portico.Core.Diagnostics;

/// <summary>
/// Keeps an operator from hearing the same again and again: one line at once, then at most one a minute, say, which tells how many
/// were left out before it. From any thread; one for each event. That none has more than a line a second is seen to elsewhere
/// (<see cref="LimitedLoggerFactory"/>).
/// </summary>
/// <param name="periodMs">A second, unless an operator has enough of a line a minute.</param>
internal sealed class LineLimit(int periodMs = LineLimit.SecondMs)
{
    public const int SecondMs = 1000, MinuteMs = 60_000;

    private long _lastMs = long.MinValue / 2; // long ago
    private long _leftOut;

    /// <summary>Whether the line may be written; if not, it is counted.</summary>
    /// <param name="nowMs">Monotonic. The loops' clocks agree to a few milliseconds, and more is not needed.</param>
    /// <param name="leftOut">Lines since the last one that was written.</param>
    public bool TryPass(long nowMs, out long leftOut)
    {
        leftOut = 0;
        var last = Interlocked.Read(ref _lastMs);
        if (nowMs - last < periodMs || Interlocked.CompareExchange(ref _lastMs, nowMs, last) != last)
        {
            Interlocked.Increment(ref _leftOut);
            return false;
        }

        leftOut = TakeLeftOut();
        return true;
    }

    /// <summary>For those who tell the rest when no line comes any more.</summary>
    public long TakeLeftOut() => Interlocked.Exchange(ref _leftOut, 0);
}
