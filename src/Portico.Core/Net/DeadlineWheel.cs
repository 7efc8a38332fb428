namespace Portico.Core.Net;

/// <summary>
/// The one heartbeat of a loop: at most one deadline per slot, kept in linked lists threaded through arrays,
/// so arming costs no allocation and an idle session 16 bytes. Resolution is one tick, of those further
/// away than a third of a second five; deadlines further away than one turn are looked at once per turn.
/// </summary>
internal sealed class DeadlineWheel
{
    /// <summary>Fine enough to pass a stranger's pieces on as they came, and to leave a DC's port soon.</summary>
    public const int TickMs = 10;

    // Thousands of idle sessions would have a deadline in every tick,
    // and the loop would wake for each: those that are far away share every fifth.
    private const int FarTicks = 32;

    /// <summary>Deadlines that are far away fire at multiples of so many ticks.</summary>
    public const int FarStep = 5;

    /// <summary>Ticks in a turn of the wheel.</summary>
    public const int Buckets = 4096;
    private const int PageBits = 8;
    private const int None = -1;
    private const int BitsPerWord = 64;

    private readonly int[] _heads = new int[Buckets];
    private readonly ulong[] _filled = new ulong[Buckets / BitsPerWord]; // a bit per bucket with anything in it
    private readonly List<Node[]> _pages = [];
    private long _tick;
    private int _armed;

    public DeadlineWheel(long nowMs)
    {
        Array.Fill(_heads, None);
        _tick = nowMs / TickMs;
    }

    /// <summary>
    /// Milliseconds until the next tick at which there is a deadline to look at,
    /// if only to find that it is due turns later; -1 when nothing is armed.
    /// </summary>
    public int SleepMs(long nowMs) => _armed == 0 ? -1 : (int)Math.Max(0, ((_tick + TicksToNextFilled()) * TickMs) - nowMs);

    /// <summary>Arms the slot's deadline, replacing an earlier one. Due times in the past fire on the next tick.</summary>
    public void Set(int slot, long dueMs)
    {
        Clear(slot);
        ref var node = ref At(slot);
        node.DueTick = Rounded(Math.Max((dueMs + TickMs - 1) / TickMs, _tick + 1));
        Link(slot, ref node);
        _armed++;
    }

    /// <summary>Disarms the slot's deadline.</summary>
    public void Clear(int slot)
    {
        ref var node = ref At(slot);
        if (node.DueTick == 0) return;
        Unlink(ref node);
        node.DueTick = 0;
        _armed--;
    }

    /// <summary>Fires what is due up to now. Callbacks may arm and disarm any slot.</summary>
    public void Advance(long nowMs, SlotTable slots)
    {
        var last = nowMs / TickMs;
        if (_armed == 0)
        {
            _tick = last;
            return;
        }

        while (_tick < last)
        {
            _tick++;
            Fire((int)(_tick & (Buckets - 1)), slots);
        }
    }

    private long Rounded(long dueTick) => dueTick - _tick > FarTicks ? (dueTick + FarStep - 1) / FarStep * FarStep : dueTick;

    private void Fire(int bucket, SlotTable slots)
    {
        // The list is taken off the wheel first: a callback that re-arms into this very bucket must not be met again in this round.
        var slot = _heads[bucket];
        SetHead(bucket, None);
        if (slot != None) At(slot).Previous = None;
        while (slot != None)
        {
            ref var node = ref At(slot);
            var due = slot;
            if (node.DueTick > _tick)
            {
                slot = node.Next;
                if (slot != None) At(slot).Previous = None;
                Link(due, ref node);
                continue;
            }

            slot = node.Next;
            if (slot != None) At(slot).Previous = None;
            node.DueTick = 0;
            _armed--;
            _firing = slot;
            slots[due]?.RaiseDeadline();
            slot = _firing;
        }

        _firing = None;
    }

    // The rest of the list being fired; Unlink moves it on when a callback disarms just that slot.
    private int _firing = None;

    private void Link(int slot, ref Node node)
    {
        var bucket = (int)(node.DueTick & (Buckets - 1));
        var head = _heads[bucket];
        node.Next = head;
        node.Previous = None;
        if (head != None) At(head).Previous = slot;
        SetHead(bucket, slot);
    }

    private void Unlink(ref Node node)
    {
        if (node.Next != None) At(node.Next).Previous = node.Previous;
        if (node.Previous != None)
        {
            At(node.Previous).Next = node.Next;
            return;
        }

        var bucket = (int)(node.DueTick & (Buckets - 1));
        if (_firing != None && ReferenceEqual(ref At(_firing), ref node)) _firing = node.Next;
        else SetHead(bucket, node.Next);
    }

    private void SetHead(int bucket, int slot)
    {
        _heads[bucket] = slot;
        var bit = 1UL << (bucket % BitsPerWord);
        if (slot == None) _filled[bucket / BitsPerWord] &= ~bit;
        else _filled[bucket / BitsPerWord] |= bit;
    }

    // From the bucket after this tick's once around the wheel; the word it begins in is met twice, its upper part first.
    private int TicksToNextFilled()
    {
        var first = (int)((_tick + 1) & (Buckets - 1));
        var word = first / BitsPerWord;
        var bits = _filled[word] & (ulong.MaxValue << (first % BitsPerWord));
        for (var words = 0; bits == 0 && words < _filled.Length; words++)
        {
            word = (word + 1) % _filled.Length;
            bits = _filled[word];
        }

        var bucket = (word * BitsPerWord) + System.Numerics.BitOperations.TrailingZeroCount(bits);
        return ((bucket - first) & (Buckets - 1)) + 1;
    }

    private static bool ReferenceEqual(ref Node a, ref Node b) => System.Runtime.CompilerServices.Unsafe.AreSame(ref a, ref b);

    private ref Node At(int slot)
    {
        var page = slot >> PageBits;
        while (page >= _pages.Count) _pages.Add(new Node[1 << PageBits]);
        return ref _pages[page][slot & ((1 << PageBits) - 1)];
    }

    private struct Node
    {
        public long DueTick;
        public int Next;
        public int Previous;
    }
}
