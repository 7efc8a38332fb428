namespace Portico.Core.Admission.Replay;

/// <summary>What waits to be written, from all loops, up to a bound. Nothing is allocated after the beginning.</summary>
/// <param name="most">Items that may wait.</param>
internal sealed class SeenQueue(int most)
{
    private readonly Lock _gate = new();
    private ulong[] _coming = new ulong[most];
    private ulong[] _going = new ulong[most];
    private int _count;
    private uint _lastUnix;

    /// <summary>Takes an item.</summary>
    /// <param name="item">The hash.</param>
    /// <param name="unixSeconds">When it came.</param>
    /// <param name="isFirst">Nothing waited before: the writer must be woken.</param>
    /// <returns>False if there is no room.</returns>
    public bool TryAdd(ulong item, uint unixSeconds, out bool isFirst)
    {
        lock (_gate)
        {
            isFirst = _count == 0;
            if (_count == most) return false;
            _coming[_count++] = item;
            _lastUnix = unixSeconds;
            return true;
        }
    }

    /// <summary>Everything that waits; valid until the next call. For the one that writes.</summary>
    public ReadOnlyMemory<ulong> Take(out uint lastUnix)
    {
        lock (_gate)
        {
            var count = _count;
            (_coming, _going, _count, lastUnix) = (_going, _coming, 0, _lastUnix);
            return _going.AsMemory(0, count);
        }
    }
}
