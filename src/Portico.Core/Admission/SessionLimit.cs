namespace Portico.Core.Admission;

/// <summary>How many authenticated sessions a listener may have at a time, over all loops.</summary>
internal sealed class SessionLimit(int most)
{
    private int _most = most;
    private int _count;

    /// <summary>So many may hold a lease at a time. Those that hold one keep it when there are fewer.</summary>
    public int Most
    {
        get => Volatile.Read(ref _most);
        set => Volatile.Write(ref _most, value);
    }

    /// <summary>Sessions that hold a lease now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes one place, to be given back through the lease.</summary>
    public bool TryEnter(ref SessionLease lease)
    {
        if (Interlocked.Increment(ref _count) <= Most)
        {
            lease.Hold(this);
            return true;
        }

        Interlocked.Decrement(ref _count);
        return false;
    }

    /// <summary>Called by the lease.</summary>
    internal void Leave() => Interlocked.Decrement(ref _count);
}
