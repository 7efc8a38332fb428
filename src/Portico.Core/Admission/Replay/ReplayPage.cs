using System.Runtime.CompilerServices;

namespace Portico.Core.Admission.Replay;

/// <summary>Up to 64 items in one object: the step in which memory grows, 1.2 KB. Unordered; a look-up compares half of each item, vector by vector.</summary>
internal sealed class ReplayPage
{
    public const int Capacity = 64;

    /// <summary>What the object takes of the heap: header, items, steps, two numbers.</summary>
    public const int Bytes = 16 + (Capacity * (sizeof(ulong) + sizeof(ulong) + sizeof(ushort))) + 8;

    private Halves _low;
    private Halves _high;
    private Steps _steps;

    public ReplayPage(int depth) => Depth = (byte)depth;

    /// <summary>So many leading bits are the same in all items of the page.</summary>
    public byte Depth { get; set; }

    public byte Count { get; private set; }

    public bool IsFull => Count == Capacity;

    /// <summary>The item at a place.</summary>
    public UInt128 this[int at] => new(_high[at], _low[at]);

    /// <summary>When the item at a place came.</summary>
    public ref ushort Step(int at) => ref _steps[at];

    /// <summary>Where an item is, or -1.</summary>
    public int IndexOf(UInt128 item)
    {
        Span<ulong> low = _low;
        for (var at = 0; ; at++)
        {
            var next = low[at..Count].IndexOf((ulong)item);
            if (next < 0) return -1;
            at += next;
            if (_high[at] == (ulong)(item >> 64)) return at;
        }
    }

    /// <summary>Takes an item; there must be room.</summary>
    public void Add(UInt128 item, ushort step)
    {
        _low[Count] = (ulong)item;
        _high[Count] = (ulong)(item >> 64);
        _steps[Count++] = step;
    }

    /// <summary>Forgets the item at a place; the last one takes it.</summary>
    public void RemoveAt(int at)
    {
        Count--;
        _low[at] = _low[Count];
        _high[at] = _high[Count];
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
    private struct Halves
    {
        private ulong _first;
    }

    [InlineArray(Capacity)]
    private struct Steps
    {
        private ushort _first;
    }
}
