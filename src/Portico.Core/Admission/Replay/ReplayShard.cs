namespace Portico.Core.Admission.Replay;

/// <summary>
/// One of many parts of a <see cref="ReplaySet"/>, with a lock of its own: pages behind a directory that is indexed by an item's leading
/// bits (extendible hashing). A full page first loses its dead items, then splits in two; nothing is ever copied but the 64 items of one
/// page, so no look-up waits long and growing leaves no garbage.
/// </summary>
/// <param name="ages">Of the whole set.</param>
/// <param name="skipped">Leading bits that chose this part and are the same in all of its items.</param>
internal sealed class ReplayShard(ReplayAges ages, int skipped)
{
    // Items are results of a keyed hash: 64 with so many bits in common come about by no means. If they did, the directory must not
    // grow for them.
    private const int MaxDepth = 24;

    // Splitting a page that is three quarters full would make two that are nearly empty.
    private const int WorthSplitting = ReplayPage.Capacity * 3 / 4;

    private readonly Lock _gate = new();
    private LoadedItems? _loaded;
    private ReplayPage?[] _directory = [null];
    private int _depth;
    private int _pages;
    private int _shrunkAt;

    /// <summary>Remembers an item.</summary>
    /// <returns>False if it was known; then it is as young again as if it had come now.</returns>
    public bool TryAdd(ulong item, long now)
    {
        lock (_gate)
        {
            ShrinkIfEmptied();
            var page = PageOf(item);
            var at = page.IndexOf(item);
            if (at >= 0)
            {
                var isKnown = ages.TryRemove(page.Step(at));
                page.Step(at) = ages.Add();
                return !isKnown;
            }

            var isNew = !TryTakeLoaded(item);

            while (page.IsFull)
            {
                MakeRoom(page, now);
                page = PageOf(item);
            }

            page.Add(item, ages.Add());
            return isNew;
        }
    }

    /// <summary>Looks for items of earlier processes there as well; null = no more.</summary>
    public void Set(LoadedItems? loaded)
    {
        lock (_gate) _loaded = loaded;
    }

    /// <summary>Whether an item is known; changes nothing.</summary>
    public bool Contains(ulong item)
    {
        lock (_gate)
        {
            if (_directory[IndexOf(item)] is { } page && page.IndexOf(item) is var at and >= 0 && ages.IsAlive(page.Step(at)))
                return true;
            return _loaded is not null && _loaded.IndexOf(item) is var place and >= 0 && ages.IsAlive(_loaded.Step(place));
        }
    }

    // A page of depth d stands in 2^(depth - d) places, which are neighbours.
    private static IEnumerable<ReplayPage> Pages(ReplayPage?[] directory, int depth)
    {
        for (var at = 0; at < directory.Length;)
        {
            if (directory[at] is not { } page) yield break;
            yield return page;
            at += 1 << (depth - page.Depth);
        }
    }

    private int IndexOf(ulong item) => _depth == 0 ? 0 : (int)(item << skipped >> (64 - _depth));

    private ReplayPage PageOf(ulong item) => _directory[IndexOf(item)] ??= NewPage(depth: 0, mustHave: true)!;

    // An item of an earlier process that is repeated moves to where the young ones are. Its old place must not be counted a second time.
    private bool TryTakeLoaded(ulong item)
    {
        if (_loaded is null || _loaded.IndexOf(item) is var at && at < 0) return false;
        ref var step = ref _loaded.Step(at);
        var isKnown = ages.TryRemove(step);
        step = (ushort)(ages.Oldest - 1);
        return isKnown;
    }

    private ReplayPage? NewPage(int depth, bool mustHave = false)
    {
        if (mustHave) ages.Take(ReplayPage.Bytes);
        else if (!ages.TryTake(ReplayPage.Bytes)) return null;
        _pages++;
        return new ReplayPage(depth);
    }

    private void MakeRoom(ReplayPage page, long now)
    {
        page.RemoveDead(ages);
        if (page.Count <= WorthSplitting || TrySplit(page)) return;

        // No memory left: the oldest items of the whole set go, some of which are in this page.
        while (page.IsFull && ages.EvictOldest(now)) page.RemoveDead(ages);
        if (!page.IsFull) return;
        ages.TryRemove(page.Step(0));
        page.RemoveAt(0);
    }

    private bool TrySplit(ReplayPage page)
    {
        if (page.Depth == MaxDepth || (page.Depth == _depth && !TryDoubleDirectory())) return false;
        if (NewPage(page.Depth + 1) is not { } other) return false;
        var bit = 63 - skipped - page.Depth++;
        for (var at = page.Count - 1; at >= 0; at--)
        {
            var item = page[at];
            if ((item >> bit & 1) == 0) continue;
            other.Add(item, page.Step(at));
            page.RemoveAt(at);
        }

        // The upper half of the page's places are the other's now.
        var places = 1 << (_depth - other.Depth);
        var first = Array.IndexOf(_directory, page);
        _directory.AsSpan(first + places, places).Fill(other);
        return true;
    }

    private bool TryDoubleDirectory()
    {
        if (!ages.TryTake((long)_directory.Length * IntPtr.Size)) return false;
        var larger = new ReplayPage?[_directory.Length * 2];
        for (var at = 0; at < larger.Length; at++) larger[at] = _directory[at / 2];
        _directory = larger;
        _depth++;
        return true;
    }

    // After a burst: pages stay where they are, mostly empty. Looked at once per step that dies, and only while the whole set is like that.
    private void ShrinkIfEmptied()
    {
        const int Slack = 4;
        if (_shrunkAt == ages.Oldest) return;
        _shrunkAt = ages.Oldest;
        if (_pages <= Slack || ages.Bytes / (ReplayPage.Bytes * Slack) < ages.Items / ReplayPage.Capacity)
            return;
        var (directory, depth) = (_directory, _depth);
        ages.Take(-((long)_pages * ReplayPage.Bytes) - ((directory.Length - 1L) * IntPtr.Size));
        (_directory, _depth, _pages) = ([null], 0, 0);
        foreach (var old in Pages(directory, depth))
        {
            for (var at = 0; at < old.Count; at++)
            {
                if (!ages.IsAlive(old.Step(at))) continue;
                var page = PageOf(old[at]);
                while (page.IsFull && TrySplit(page)) page = PageOf(old[at]);
                // cannot be: there was room for all of them
                if (page.IsFull) ages.TryRemove(old.Step(at));
                else page.Add(old[at], old.Step(at));
            }
        }
    }
}
