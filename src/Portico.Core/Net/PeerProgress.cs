namespace Portico.Core.Net;

/// <summary>
/// How far a peer has got with what is written to it: by what it has acknowledged, for a buffer
/// of megabytes says for a long time that there is no room while its peer takes bytes all the time.
/// </summary>
/// <remarks>20 bytes, of which an idle session holds two: of times, too, only differences are asked, and those fit into 32 bits.</remarks>
internal struct PeerProgress
{
    // Nobody waits so long between two looks: the clock has leapt, as it does when a machine was asleep, and the peer
    // had not the time that it tells of.
    private const int ClockLeapMs = 20_000;

    private uint _written; // as far as 32 bits go: only whether it moved is asked
    private uint _acknowledged;
    private uint _progressMs;
    private uint _lookedMs;

    /// <summary>Bytes were written whose arrival has not been looked at.</summary>
    public bool IsWatched { get; private set; }

    /// <summary>The kernel has taken so many.</summary>
    public void Wrote(int count) => _written += (uint)count;

    /// <summary>Something is on its way from now on.</summary>
    public void Watch(long nowMs)
    {
        IsWatched = true;
        _progressMs = _lookedMs = unchecked((uint)nowMs);
    }

    /// <summary>Looks. To be called every few seconds while anything is under way.</summary>
    /// <param name="sink">The way to the peer.</param>
    /// <param name="isPending">More waits for room there.</param>
    /// <param name="nowMs">The loop's clock.</param>
    /// <returns>How long, in ms, it has taken nothing of what is under way; 0 when nothing is.</returns>
    public long Look(Channel sink, bool isPending, long nowMs)
    {
        var underWay = Math.Max(0, sink.UnacknowledgedBytes()); // where the system does not tell, what was written is all there is to go by
        var acknowledged = unchecked(_written - (uint)underWay);
        var now = unchecked((uint)nowMs);
        var hasLeapt = unchecked(now - _lookedMs) > ClockLeapMs;
        IsWatched = underWay > 0 || isPending;
        _lookedMs = now;
        if (acknowledged == _acknowledged && IsWatched && !hasLeapt)
            return unchecked(now - _progressMs);
        (_acknowledged, _progressMs) = (acknowledged, now);
        return 0;
    }
}
