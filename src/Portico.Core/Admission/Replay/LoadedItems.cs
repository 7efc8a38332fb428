using System.Buffers.Binary;
using System.Numerics;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// The items of earlier processes: two arrays, ordered by the items' leading bits, made in one pass over the files. Nothing is allocated
/// per item, and nothing moves afterwards. 10 bytes an item and 4 for every 8 of them.
/// </summary>
internal sealed class LoadedItems
{
    /// <summary>What one takes, rounded up.</summary>
    public const int BytesPerItem = 11;

    private const int PerBucket = 8, MostBits = 24;

    private readonly ulong[] _items;
    private readonly ushort[] _steps;
    private readonly int[] _starts;
    private readonly int _shift;
    private int _count;

    /// <param name="most">Items that may come.</param>
    public LoadedItems(int most)
    {
        var bits = Math.Min(MostBits, BitOperations.Log2((uint)Math.Max(2, most / PerBucket)));
        _shift = 64 - bits;
        _starts = new int[(1 << bits) + 1];
        _items = GC.AllocateUninitializedArray<ulong>(most);
        _steps = GC.AllocateUninitializedArray<ushort>(most);
    }

    public int Count => _count;

    public long Bytes => (_items.Length * (long)(sizeof(ulong) + sizeof(ushort))) + (_starts.Length * sizeof(int));

    /// <summary>Takes items of one step; those for which there is no room are left out.</summary>
    /// <returns>How many were taken.</returns>
    public int Add(ReadOnlySpan<byte> items, ushort step)
    {
        var count = Math.Min(items.Length / sizeof(ulong), _items.Length - _count);
        for (var i = 0; i < count; i++)
        {
            var item = BinaryPrimitives.ReadUInt64LittleEndian(items[(i * sizeof(ulong))..]);
            _items[_count + i] = item;
            _starts[(int)(item >> _shift) + 1]++;
        }

        _steps.AsSpan(_count, count).Fill(step);
        _count += count;
        return count;
    }

    /// <summary>After the last: brings them into order, in place. Before this nothing is found.</summary>
    public void Order()
    {
        for (var i = 1; i < _starts.Length; i++) _starts[i] += _starts[i - 1];
        var next = _starts.AsSpan(0, _starts.Length - 1).ToArray();
        for (var bucket = 0; bucket < next.Length; bucket++)
        {
            while (next[bucket] < _starts[bucket + 1])
            {
                // Each item goes to the next free place of its bucket; what stood there goes on, until one belongs here.
                var at = next[bucket];
                var (item, step) = (_items[at], _steps[at]);
                for (var home = (int)(item >> _shift); home != bucket; home = (int)(item >> _shift))
                {
                    var place = next[home]++;
                    (item, _items[place]) = (_items[place], item);
                    (step, _steps[place]) = (_steps[place], step);
                }

                (_items[at], _steps[at]) = (item, step);
                next[bucket]++;
            }
        }
    }

    /// <summary>Where an item is, or -1.</summary>
    public int IndexOf(ulong item)
    {
        var bucket = (int)(item >> _shift);
        var (from, to) = (_starts[bucket], _starts[bucket + 1]);
        var at = _items.AsSpan(from, to - from).IndexOf(item);
        return at < 0 ? -1 : from + at;
    }

    /// <summary>When the item at a place came.</summary>
    public ref ushort Step(int at) => ref _steps[at];
}
