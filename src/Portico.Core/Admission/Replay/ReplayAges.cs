using Portico.Core.Options;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// How old the items of a <see cref="ReplaySet"/> are, in steps, and the limits on how many there may be. A step takes every item
/// that comes while it is the newest; steps die whole, the oldest first, by age or for want of room. Items carry the low 16 bits of
/// their step's number and need not be touched when it dies.
/// </summary>
/// <param name="settings">The limits.</param>
/// <param name="evicted">
/// A step died before its time: how many items, and the seconds for which the youngest of them had been remembered.
/// </param>
internal sealed class ReplayAges(ReplaySettings settings, Action<int, long> evicted)
{
    /// <summary>Steps alive at a time. Far below 65536, so that an item of a dead step is not taken for one of a living step.</summary>
    public const int Most = 256;

    // A step is a 72nd of the age (10 hours of 30 days), or a 32nd of the items that there may be, whichever is over first: so much is
    // lost at once when there is no room. Memory counts as items, at the most that one takes: steps die before it is used up.
    private const int StepsPerAge = 72, StepsPerItems = 32, BytesPerItem = 28;

    private readonly Lock _gate = new();
    private readonly long[] _ended = new long[Most];
    private readonly int[] _counts = new int[Most];
    private readonly long _maxAge = (long)settings.MaxAge.TotalSeconds;
    private readonly long _stepSeconds = Math.Max(1, (long)settings.MaxAge.TotalSeconds / StepsPerAge);
    private readonly int _most = (int)Math.Clamp(settings.MaxBytes / BytesPerItem, 1, settings.MaxItems);
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

    public bool IsAlive(ushort step)
    {
        var oldest = Volatile.Read(ref _oldest);
        return (ushort)(step - oldest) <= (ushort)(Volatile.Read(ref _newest) - oldest);
    }

    /// <summary>Moves on to <paramref name="now"/>, a monotonic clock's seconds; makes room for one more item.</summary>
    public void MoveTo(long now)
    {
        var isFull = Volatile.Read(ref _counts[Volatile.Read(ref _newest) % Most]) >= _stepItems;
        if (!isFull && now - Volatile.Read(ref _begun) < _stepSeconds && Items < _most) return;
        lock (_gate)
        {
            if (now - _begun >= _stepSeconds || _counts[_newest % Most] >= _stepItems)
                BeginStep(now);
            while (_oldest < _newest && now - _ended[_oldest % Most] > _maxAge) DropOldest();
            while (_items >= _most && Evict(now))
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

    /// <summary>One more item, in the newest step.</summary>
    /// <returns>What it carries. Counted under the lock: between asking for the newest step and counting in it, it could die.</returns>
    public ushort Add()
    {
        lock (_gate)
        {
            _counts[_newest % Most]++;
            _items++;
            return (ushort)_newest;
        }
    }

    /// <summary>An item is gone.</summary>
    /// <returns>False if its step had died, and it with it.</returns>
    public bool TryRemove(ushort step)
    {
        lock (_gate)
        {
            if (!IsAlive(step)) return false;
            _counts[step % Most]--;
            _items--;
            return true;
        }
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

    /// <summary>Begins with the items of an earlier process; an item carries its step's index. Before anything was added.</summary>
    /// <param name="steps">For each step, the oldest first, how many items, and the seconds since it ended; fewer than Most.</param>
    /// <param name="now">Of this process's clock.</param>
    public void Restore(ReadOnlySpan<(int Items, long EndedAgo)> steps, long now)
    {
        lock (_gate)
        {
            for (var step = 0; step < steps.Length; step++)
            {
                (_counts[step], _ended[step]) = (steps[step].Items, now - steps[step].EndedAgo);
                _items += steps[step].Items;
            }

            _newest = steps.Length;
            _begun = now;
        }

        MoveTo(now);
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
        Volatile.Write(ref _items, _items - _counts[_oldest % Most]);
        _counts[_oldest % Most] = 0;
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
