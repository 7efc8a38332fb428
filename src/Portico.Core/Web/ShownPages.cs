using System.Diagnostics.CodeAnalysis;

namespace Portico.Core.Web;

/// <summary>A bridge page that was shown, and the session that it created.</summary>
/// <param name="user">To whom.</param>
/// <param name="shownMs">When, on the clock of pages.</param>
internal sealed class ShownPage(WebUser user, long shownMs)
{
    public WebUser User => user;

    public long ShownMs => shownMs;

    /// <summary>Null = it was not used.</summary>
    public string? SessionToken { get; set; }

    public UInt128 Session { get; set; }
}

/// <summary>
/// Bridge pages whose tokens are good. Of those that were not used there are only so many; one that was used goes by age alone, as its
/// app may not have heard the answer. By one thread at a time.
/// </summary>
/// <param name="most">Of those that were not used; the oldest goes.</param>
/// <param name="lifeMs">So long a token is good.</param>
internal sealed class ShownPages(int most, long lifeMs)
{
    private readonly Dictionary<UInt128, ShownPage> _pages = [];
    private readonly Queue<(UInt128 Number, long Ms)> _ages = new();
    private readonly Queue<UInt128> _fresh = new();
    private int _unused;

    /// <summary>One was shown.</summary>
    /// <param name="number">Of its token.</param>
    /// <param name="page">The page.</param>
    /// <param name="nowMs">Monotonic.</param>
    public void Add(UInt128 number, ShownPage page, long nowMs)
    {
        Forget(nowMs);
        while (_unused >= most && _fresh.TryDequeue(out var oldest))
        {
            if (_pages.TryGetValue(oldest, out var other) && other.SessionToken is null)
                Remove(oldest);
        }

        _pages.Add(number, page);
        _ages.Enqueue((number, nowMs));
        _fresh.Enqueue(number);
        _unused++;
    }

    /// <summary>Looks for one whose token is good.</summary>
    public bool TryFind(UInt128 number, long nowMs, [NotNullWhen(true)] out ShownPage? page)
    {
        Forget(nowMs);
        return _pages.TryGetValue(number, out page);
    }

    /// <summary>It has created a session.</summary>
    /// <param name="page">It was not used before.</param>
    /// <param name="token">Of the session.</param>
    /// <param name="session">The token's number.</param>
    public void Use(ShownPage page, string token, UInt128 session)
    {
        (page.SessionToken, page.Session) = (token, session);
        _unused--;
    }

    private void Forget(long nowMs)
    {
        while (_ages.TryPeek(out var oldest) && nowMs - oldest.Ms >= lifeMs)
        {
            _ages.Dequeue();
            Remove(oldest.Number);
        }

        // What is not there any more, or was used, is in nobody's way.
        while (_fresh.TryPeek(out var first) && !(_pages.TryGetValue(first, out var page) && page.SessionToken is null))
            _fresh.Dequeue();
    }

    private void Remove(UInt128 number)
    {
        if (_pages.Remove(number, out var page) && page.SessionToken is null) _unused--;
    }
}
