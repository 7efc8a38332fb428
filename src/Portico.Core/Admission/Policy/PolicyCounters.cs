using System.Diagnostics.CodeAnalysis;

namespace Portico.Core.Admission.Policy;

/// <summary>
/// How many clients one rule has let in, for each tuple of values of its keys. A tuple is there as long as it has a client, so the
/// memory is bounded by the sessions there are. Shared by all loops: short locks, once when a client comes and once when it goes.
/// </summary>
internal sealed class PolicyCounters
{
    // Loops seldom meet at one of them. A power of two: its number is the leading bits of a hash, the set uses all of it.
    private const int Shards = 16, ShardShift = 28;

    private readonly Shard[] _shards = [.. Enumerable.Range(0, Shards).Select(_ => new Shard())];

    /// <summary>Tuples that have clients.</summary>
    public int Tuples => _shards.Sum(shard => shard.Count);

    /// <summary>Clients that a tuple has now.</summary>
    public int CountOf(ReadOnlySpan<byte> tuple) => _shards[(uint)ValueComparer.HashOf(tuple) >> ShardShift].CountOf(tuple);

    /// <summary>Counts one more, unless there are so many already.</summary>
    /// <param name="tuple">The values of the keys.</param>
    /// <param name="limit">The most there may be.</param>
    /// <param name="counter">To be lowered once.</param>
    public bool TryRaise(ReadOnlySpan<byte> tuple, int limit, [NotNullWhen(true)] out PolicyCounter? counter) =>
        _shards[(uint)ValueComparer.HashOf(tuple) >> ShardShift].TryRaise(tuple, limit, out counter);

    /// <summary>The tuples with the most clients, those first.</summary>
    /// <param name="most">How many of them.</param>
    public List<(byte[] Tuple, int Count)> Largest(int most)
    {
        var least = new PriorityQueue<(byte[], int), int>();
        foreach (var shard in _shards) shard.AddLargest(least, most);
        var ordered = new List<(byte[], int)>(least.Count);
        while (least.TryDequeue(out var next, out _)) ordered.Add(next);
        ordered.Reverse();
        return ordered;
    }

    /// <summary>Some of the tuples, and the lock for them.</summary>
    internal sealed class Shard
    {
        // What a burst leaves behind is given back when the last of it is gone.
        private const int Kept = 1024;

        private readonly Lock _gate = new();
        private readonly HashSet<PolicyCounter> _counters = new(TupleComparer.Instance);
        private readonly HashSet<PolicyCounter>.AlternateLookup<ReadOnlySpan<byte>> _byTuple;

        public Shard() => _byTuple = _counters.GetAlternateLookup<ReadOnlySpan<byte>>();

        public int Count
        {
            get
            {
                lock (_gate) return _counters.Count;
            }
        }

        public int CountOf(ReadOnlySpan<byte> tuple)
        {
            lock (_gate) return _byTuple.TryGetValue(tuple, out var counter) ? counter.Count : 0;
        }

        public bool TryRaise(ReadOnlySpan<byte> tuple, int limit, [NotNullWhen(true)] out PolicyCounter? counter)
        {
            lock (_gate)
            {
                if (!_byTuple.TryGetValue(tuple, out counter))
                {
                    counter = new PolicyCounter(this, tuple.ToArray());
                    _counters.Add(counter);
                }
                else if (counter.Count >= limit)
                {
                    counter = null;
                    return false;
                }

                counter.Count++;
                return true;
            }
        }

        public void Lower(PolicyCounter counter)
        {
            lock (_gate)
            {
                if (--counter.Count > 0) return;
                _counters.Remove(counter);
                if (_counters.Count == 0 && _counters.Capacity > Kept) _counters.TrimExcess();
            }
        }

        public void AddLargest(PriorityQueue<(byte[], int), int> least, int most)
        {
            lock (_gate)
            {
                foreach (var counter in _counters)
                {
                    if (least.Count < most)
                        least.Enqueue((counter.Tuple, counter.Count), counter.Count);
                    else least.EnqueueDequeue((counter.Tuple, counter.Count), counter.Count);
                }
            }
        }
    }

    private sealed class TupleComparer : IEqualityComparer<PolicyCounter>, IAlternateEqualityComparer<ReadOnlySpan<byte>, PolicyCounter>
    {
        public static readonly TupleComparer Instance = new();

        public bool Equals(PolicyCounter? one, PolicyCounter? other) => ReferenceEquals(one, other);

        public int GetHashCode([DisallowNull] PolicyCounter counter) => ValueComparer.HashOf(counter.Tuple);

        public bool Equals(ReadOnlySpan<byte> tuple, PolicyCounter other) => tuple.SequenceEqual(other.Tuple);

        public int GetHashCode(ReadOnlySpan<byte> tuple) => ValueComparer.HashOf(tuple);

        public PolicyCounter Create(ReadOnlySpan<byte> tuple) => throw new NotSupportedException();
    }
}

/// <summary>The clients of one tuple. Belongs to its shard, which alone changes it.</summary>
internal sealed class PolicyCounter(PolicyCounters.Shard shard, byte[] tuple)
{
    /// <summary>The values, as <see cref="PolicyCounters.TryRaise"/> was given them.</summary>
    public byte[] Tuple => tuple;

    /// <summary>Clients that have raised it and not lowered it yet.</summary>
    public int Count { get; set; }

    /// <summary>One of the clients is gone.</summary>
    public void Lower() => shard.Lower(this);
}
