namespace Portico.Fuzz.Searching;

/// <summary>
/// SplitMix64: the same numbers for the same seed on every runtime,
/// so that a seed in an old report still finds what it found.
/// </summary>
internal sealed class SplitMix(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 to <paramref name="limit"/> - 1; the bias does not matter here.</summary>
    public int Below(int limit) => (int)(Next() % (uint)limit);

    public bool OneIn(int times) => Below(times) == 0;

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    public byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        Fill(bytes);
        return bytes;
    }

    public void Fill(Span<byte> bytes)
    {
        foreach (ref var one in bytes)
            one = (byte)(Next() >> 56);
    }
}
