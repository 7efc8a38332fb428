using Portico.Core.Options;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// How old the items of a <see cref="ReplaySet"/> are, in steps, and the limits on how many there may be. A step takes every item that comes while it is the newest; steps
/// die whole, the oldest first, by age or for want of room. Items carry the low 16 bits of their step's number and need not be touched when it dies.
/// </summary>
/// <param name="settings">The limits.</param>
/// <param name="evicted">A step died before its time: how many items, and the seconds for which the youngest of them had been remembered.</param>
internal sealed class ReplayAges(ReplaySettings settings, Action<int, long> evicted)
{
    /// <summary>Steps alive at a time. Far below 65536, so that an item of a dead step is not taken for one of a living step.</summary>
    public const int Most = 256;

    // A step is a 72nd of the age (5 minutes of 6 hours), or a 32nd of the items that there may be or that fit, whichever is over first: so much is lost at once when there is
    // no room.
    private const int StepsPerAge = 72, StepsPerItems = 32, BytesPerItem = 32;

    private readonly Lock _gate = new();
    private readonly long[] _ended = new long[Most];
    private readonly int[] _counts = new int[Most];
    private readonly long _maxAge = (long)settings.MaxAge.TotalSeconds;
    private readonly long _stepSeconds = Math.Max(1, (long)settings.MaxAge.TotalSeconds / StepsPerAge);
    private readonly int _stepItems = (int)Math.Max(1, Math.Min(settings.MaxItems, settings.MaxBytes / BytesPerItem) / StepsPerItems);
    private long _begun;
    private int _newest;
    private int _oldest;
    private int _items;
    private long _bytes;

    /// <summary>Living items.</summary>
    public int Items => Volatile.Read(ref _items);

    /// <summary>Memory taken, for dead items as well.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Changes whenever a step dies.</summary>
    public int Oldest => Volatile.Read(ref _oldest);

    /// <summary>What an item carries that comes now.</summary>
    public ushort Newest => (ushort)Volatile.Read(ref _newest);

    public bool IsAlive(ushort step)
    {
        var oldest = Volatile.Read(ref _oldest);
        return (ushort)(step - oldest) <= (ushort)(Volatile.Read(ref _newest) - oldest);
    }

    /// <summary>Moves on to <paramref name="now"/>, a monotonic clock's seconds; makes room for one more item.</summary>
    public void MoveTo(long now)
    {
        var isOver = now - Volatile.Read(ref _begun) >= _stepSeconds || Volatile.Read(ref _counts[Volatile.Read(ref _newest) % Most]) >= _stepItems;
        if (!isOver && Items < settings.MaxItems) return;
        lock (_gate)
        {
            if (now - _begun >= _stepSeconds || _counts[_newest % Most] >= _stepItems) BeginStep(now);
            while (_oldest < _newest && now - _ended[_oldest % Most] > _maxAge) DropOldest();
            while (_items >= settings.MaxItems && Evict(now))
            {
            }
        }
    }

    /// <summary>The oldest step dies for want of room.</summary>
    /// <returns>False if there are no items.</returns>
    public bool EvictOldest(long now)
    {
        lock (_gate) return Evict(now);
    }

    public void Added(ushort step)
    {
        Interlocked.Increment(ref _counts[step % Most]);
        Interlocked.Increment(ref _items);
    }

    public void Removed(ushort step)
    {
        Interlocked.Decrement(ref _counts[step % Most]);
        Interlocked.Decrement(ref _items);
    }

    /// <summary>Takes memory, unless that would be more than there may be.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= settings.MaxBytes) return true;
        Interlocked.Add(ref _bytes, -bytes);
        return false;
    }

    /// <summary>Takes memory that cannot be done without, or gives some back.</summary>
    public void Take(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>For each step from the oldest to the newest: the seconds since it ended; 0 for the newest.</summary>
    public long[] Save(long now)
    {
        lock (_gate) return [.. Enumerable.Range(_oldest, _newest - _oldest + 1).Select(step => step == _newest ? 0 : now - _ended[step % Most])];
    }

    /// <summary>Begins with steps of an earlier process, the oldest first; items carry their index. Before anything was added.</summary>
    /// <param name="endedAgo">Seconds since each ended; at most <see cref="Most"/>.</param>
    /// <param name="now">Of this process's clock.</param>
    public void Restore(ReadOnlySpan<long> endedAgo, long now)
    {
        lock (_gate)
        {
            for (var step = 0; step < endedAgo.Length; step++) _ended[step] = now - endedAgo[step];
            _newest = Math.Min(endedAgo.Length, Most - 1);
            _begun = now;
        }
    }

    private void BeginStep(long now)
    {
        // A step without items grows older instead, and so does the newest of very many: their items are remembered for longer.
        _begun = now;
        if (_counts[_newest % Most] == 0 || _newest - _oldest + 1 == Most) return;
        _ended[_newest % Most] = now;
        _counts[(_newest + 1) % Most] = 0;
        Volatile.Write(ref _newest, _newest + 1);
    }

    private void DropOldest()
    {
        Interlocked.Add(ref _items, -Interlocked.Exchange(ref _counts[_oldest % Most], 0));
        Volatile.Write(ref _oldest, _oldest + 1);
    }

    private bool Evict(long now)
    {
        if (_oldest == _newest) BeginStep(now);
        if (_oldest == _newest) return false; // nothing in it
        evicted(_counts[_oldest % Most], now - _ended[_oldest % Most]);
        DropOldest();
        return true;
    }
}
