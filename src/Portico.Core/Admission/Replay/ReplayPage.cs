using System.Runtime.CompilerServices;

namespace Portico.Core.Admission.Replay;

/// <summary>Up to 64 items in one object: the step in which memory grows, 0.7 KB. Unordered; a look-up compares all.</summary>
internal sealed class ReplayPage
{
    public const int Capacity = 64;

    /// <summary>What the object takes of the heap: header, items, steps, two numbers.</summary>
    public const int Bytes = 16 + (Capacity * (sizeof(ulong) + sizeof(ushort))) + 8;

    private Hashes _items;
    private Steps _steps;

    public ReplayPage(int depth) => Depth = (byte)depth;

    /// <summary>So many leading bits are the same in all items of the page.</summary>
    public byte Depth { get; set; }

    public byte Count { get; private set; }

    public bool IsFull => Count == Capacity;

    /// <summary>The item at a place.</summary>
    public ulong this[int at] => _items[at];

    /// <summary>When the item at a place came.</summary>
    public ref ushort Step(int at) => ref _steps[at];

    /// <summary>Where an item is, or -1.</summary>
    public int IndexOf(ulong item)
    {
        Span<ulong> items = _items;
        return items[..Count].IndexOf(item);
    }

    /// <summary>Takes an item; there must be room.</summary>
    public void Add(ulong item, ushort step)
    {
        _items[Count] = item;
        _steps[Count++] = step;
    }

    /// <summary>Forgets the item at a place; the last one takes it.</summary>
    public void RemoveAt(int at)
    {
        Count--;
        _items[at] = _items[Count];
        _steps[at] = _steps[Count];
    }

    /// <summary>Forgets the items of steps that have died.</summary>
    public void RemoveDead(ReplayAges ages)
    {
        for (var at = Count - 1; at >= 0; at--)
        {
            if (!ages.IsAlive(_steps[at])) RemoveAt(at);
        }
    }

    [InlineArray(Capacity)]
    private struct Hashes
    {
        private ulong _first;
    }

    [InlineArray(Capacity)]
    private struct Steps
    {
        private ushort _first;
    }
}
