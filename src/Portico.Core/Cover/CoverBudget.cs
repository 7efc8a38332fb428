using Portico.Core.Net;

namespace Portico.Core.Cover;

/// <summary>How many strangers may be at the cover at a time, over all loops: two descriptors each, whatever they do there.</summary>
internal sealed class CoverBudget(int most)
{
    private int _most = most;
    private int _count;

    /// <summary>The limit. When it falls, newcomers take the places of those that have been silent longest.</summary>
    public int Most
    {
        get => Volatile.Read(ref _most);
        set => Volatile.Write(ref _most, value);
    }

    /// <summary>Strangers at the cover now.</summary>
    public int Count => Volatile.Read(ref _count);

    public bool IsExceeded => Count > Most;

    /// <summary>
    /// The limit for so many descriptors: what authenticated sessions leave of them, and at least an eighth,
    /// but not more than <paramref name="wanted"/>. Otherwise the sessions of one listener could
    /// use them all up, and a site that stops answering while its proxy works on is a sign.
    /// </summary>
    /// <param name="wanted">The operator's limit.</param>
    /// <param name="sessions">How many sessions the descriptors suffice for; 0 = no limit.</param>
    /// <param name="authenticated">Of them, those that clients of ours may take.</param>
    public static int MostFor(int wanted, long sessions, long authenticated)
    {
        const int Share = 8;
        return sessions == 0 ? wanted : (int)Math.Clamp(Math.Max(sessions / Share, sessions - authenticated), 1, wanted);
    }

    /// <summary>Called by <see cref="CoverGuests"/>.</summary>
    internal void Enter() => Interlocked.Increment(ref _count);

    /// <summary>Called by <see cref="CoverGuests"/>.</summary>
    internal void Leave() => Interlocked.Decrement(ref _count);
}

/// <summary>Somebody with a place at the cover, who loses it when others need it more.</summary>
internal interface ICoverGuest
{
    /// <summary>The place is taken already: close, in order and soon.</summary>
    void Evict();

    /// <summary><see cref="Evict"/> threw: the session behind it ends.</summary>
    void OnFault(Exception error);
}

/// <summary>The strangers of one loop that are at the cover, the one that has been silent longest first.</summary>
internal sealed class CoverGuests(CoverBudget budget, Action evictElsewhere)
{
    private CoverPlace? _idlest;
    private CoverPlace? _latest;

    /// <summary>
    /// Takes a place for <paramref name="guest"/>. When all are taken, the guest of this loop
    /// that has been silent longest goes; if there is none, that of another loop soon does.
    /// </summary>
    public CoverPlace Enter(ICoverGuest guest)
    {
        budget.Enter();
        if (budget.IsExceeded && !EvictIdlest()) evictElsewhere();
        var place = new CoverPlace(this, guest);
        Append(place);
        return place;
    }

    /// <summary>Another loop has let somebody in and nobody out. On this loop.</summary>
    public void EvictIfExceeded()
    {
        if (budget.IsExceeded) EvictIdlest();
    }

    /// <summary>Called by the place.</summary>
    internal void Touch(CoverPlace place)
    {
        if (place == _latest) return;
        Unlink(place);
        Append(place);
    }

    /// <summary>Called by the place.</summary>
    internal void Leave(CoverPlace place)
    {
        Unlink(place);
        budget.Leave();
    }

    private bool EvictIdlest()
    {
        if (_idlest is not { } place) return false;
        place.Leave();
        try
        {
            place.Guest.Evict();
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            place.Guest.OnFault(error); // neither the newcomer's fault nor the loop's
        }

        return true;
    }

    private void Append(CoverPlace place)
    {
        place.Before = _latest;
        if (_latest is null) _idlest = place;
        else _latest.After = place;
        _latest = place;
    }

    private void Unlink(CoverPlace place)
    {
        if (place.Before is null) _idlest = place.After;
        else place.Before.After = place.After;
        if (place.After is null) _latest = place.Before;
        else place.After.Before = place.Before;
        place.Before = place.After = null;
    }
}

/// <summary>One place of the budget, and its position among the others of its loop.</summary>
internal sealed class CoverPlace(CoverGuests guests, ICoverGuest guest)
{
    private bool _hasLeft;

    /// <summary>Who would have to go. Changes hands with the connection.</summary>
    public ICoverGuest Guest { get; set; } = guest;

    /// <summary>The neighbour that has been silent for longer.</summary>
    internal CoverPlace? Before { get; set; }

    /// <summary>The neighbour that said something later.</summary>
    internal CoverPlace? After { get; set; }

    /// <summary>Something happened.</summary>
    public void Touch()
    {
        if (!_hasLeft) guests.Touch(this);
    }

    /// <summary>Gives the place back, once.</summary>
    public void Leave()
    {
        if (_hasLeft) return;
        _hasLeft = true;
        guests.Leave(this);
    }
}
