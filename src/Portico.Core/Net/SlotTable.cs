namespace Portico.Core.Net;

/// <summary>
/// Channels by number. What the kernel hands back with an event is slot and generation, never a descriptor, so an event for a channel
/// that was closed earlier in the same batch finds nobody (docs/adr/0003). Pages are never moved: growing copies nothing.
/// </summary>
internal sealed class SlotTable(uint firstGeneration = 0)
{
    private const int PageBits = 8;
    private const int PageSize = 1 << PageBits;

    /// <summary>The generation after which a slot begins anew. What is above marks tokens that are no channel's.</summary>
    public const uint LastGeneration = 0x7fff_ffff;

    private readonly List<Entry[]> _pages = [];
    private readonly Stack<int> _retired = new();
    private int _free = -1;

    /// <summary>Channels that are open.</summary>
    public int Count { get; private set; }

    /// <summary>Gives <paramref name="channel"/> a slot.</summary>
    public int Add(Channel channel)
    {
        if (_free < 0) AddPage();
        var slot = _free;
        ref var entry = ref At(slot);
        _free = entry.NextFree;
        entry.Channel = channel;
        Count++;
        return slot;
    }

    /// <summary>What to give the kernel for this slot: generation in the high half.</summary>
    public ulong Token(int slot) => ((ulong)At(slot).Generation << 32) | (uint)slot;

    /// <summary>The channel behind a token, or null when it is closed or the slot has a new tenant.</summary>
    public Channel? Find(ulong token)
    {
        var slot = (int)(uint)token;
        if ((uint)slot >= (uint)(_pages.Count << PageBits)) return null;
        ref var entry = ref At(slot);
        return entry.Generation == (uint)(token >> 32) ? entry.Channel : null;
    }

    /// <summary>Slots there are, open or not: numbers below this are theirs.</summary>
    public int Size => _pages.Count << PageBits;

    /// <summary>The channel in a slot, if any.</summary>
    public Channel? this[int slot] => At(slot).Channel;

    /// <summary>Empties the slot now; it may be given away again only after <see cref="FreeRetired"/>.</summary>
    public void Retire(int slot)
    {
        ref var entry = ref At(slot);
        if (entry.Channel is null) return;
        entry.Channel = null;
        entry.Generation = (entry.Generation + 1) & LastGeneration;
        Count--;
        _retired.Push(slot);
    }

    /// <summary>Called when a batch of events is done. True if any slot became free.</summary>
    public bool FreeRetired()
    {
        if (_retired.Count == 0) return false;
        while (_retired.TryPop(out var slot))
        {
            At(slot).NextFree = _free;
            _free = slot;
        }

        return true;
    }

    /// <summary>A copy of the open channels, for shutting down: closing one may close others.</summary>
    public List<Channel> Open()
    {
        var open = new List<Channel>(Count);
        foreach (var page in _pages)
        {
            foreach (var entry in page)
            {
                if (entry.Channel is { } channel) open.Add(channel);
            }
        }

        return open;
    }

    private ref Entry At(int slot) => ref _pages[slot >> PageBits][slot & (PageSize - 1)];

    private void AddPage()
    {
        var first = _pages.Count << PageBits;
        var page = new Entry[PageSize];
        for (var i = 0; i < PageSize; i++)
            page[i] = new Entry { Generation = firstGeneration, NextFree = i == PageSize - 1 ? _free : first + i + 1 };
        _pages.Add(page);
        _free = first;
    }

    private struct Entry
    {
        public Channel? Channel;
        public uint Generation;
        public int NextFree;
    }
}
