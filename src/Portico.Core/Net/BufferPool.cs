namespace Portico.Core.Net;

/// <summary>
/// Buffers of one loop, rented for bytes that must outlive the event they came in:
/// a half-read hello, output the other side has no room for. Keeps a bounded number of each size;
/// what comes back beyond that is left to the collector, so a burst leaves no memory behind.
/// </summary>
internal sealed class BufferPool
{
    /// <summary>
    /// Sizes on offer, in bytes: a header with a first packet, a hello, one record, a whole scratch area,
    /// several packets, half a packet of the longest kind and a whole one, one of these on a busy link.
    /// </summary>
    private static readonly int[] Sizes = [1024, 4096, 16 * 1024 + 512, 64 * 1024 + 1024, 256 * 1024, 512 * 1024, 1088 * 1024, 1536 * 1024];

    // At most 16 x 1 KB + 16 x 4 KB + 8 x 16.5 KB + 4 x 65 KB + 2 x 256 KB + 512 KB + 1088 KB + 1.5 MB = 4 MB
    // stay with a loop, and the last four only where links to middle proxies were busy.
    private static readonly int[] Kept = [16, 16, 8, 4, 2, 1, 1, 1];

    private const long LeastBudget = 32 * 1024 * 1024;

    private readonly Stack<byte[]>[] _kept = [.. Sizes.Select(_ => new Stack<byte[]>())];

    /// <summary>The largest buffer on offer.</summary>
    public static int LargestSize => Sizes[^1];

    /// <summary>Bytes out on loan.</summary>
    public long Rented { get; private set; }

    /// <summary>Bytes that were left to the collector so far. Read from other threads too.</summary>
    public long Left { get; private set; }

    /// <summary>What may be out on loan before the largest holders have to go.</summary>
    public long Budget { get; set; } = BudgetOf(loops: 1);

    /// <summary>
    /// Of one loop among so many: all together a quarter of what the process may have,
    /// and never so little that a few long packets exceed it.
    /// </summary>
    public static long BudgetOf(int loops) => Math.Max(LeastBudget, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4) / loops;

    /// <summary>Rents a buffer of at least <paramref name="length"/> bytes with unspecified content.</summary>
    public byte[] Rent(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LargestSize);
        var size = 0;
        while (Sizes[size] < length) size++;
        var buffer = _kept[size].TryPop(out var kept) ? kept : GC.AllocateUninitializedArray<byte>(Sizes[size]);
        Rented += buffer.Length;
        return buffer;
    }

    /// <summary>
    /// As <see cref="Rent"/>, for the rare content that is longer than every size:
    /// such a buffer is made for it and not kept.
    /// </summary>
    public byte[] RentAny(int length)
    {
        if (length <= LargestSize) return Rent(length);
        Rented += length;
        return GC.AllocateUninitializedArray<byte>(length);
    }

    /// <summary>Takes a buffer back. Checked builds poison it, so that a late reader shows.</summary>
    public void Return(byte[] buffer)
    {
        Rented -= buffer.Length;
        if (LoopChecks.Enabled) buffer.AsSpan().Fill(0xdb);
        var size = Array.IndexOf(Sizes, buffer.Length);
        if (size >= 0 && _kept[size].Count < Kept[size]) _kept[size].Push(buffer);
        else Left += buffer.Length;
    }
}
