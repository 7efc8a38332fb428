using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using Portico.Core.Cover;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>What became of a request to create a session.</summary>
/// <param name="Token">Of the session, to be given to the app; null = there is none.</param>
/// <param name="IsOverLimit">It would have been right, but there are too many.</param>
internal readonly record struct WebCreation(string? Token, bool IsOverLimit)
{
    /// <summary>Without the token: logs and exceptions print this.</summary>
    public override string ToString() => Token is not null ? "[token]" : IsOverLimit ? "over the limit" : "refused";
}

/// <summary>
/// The WEB sessions of one listener, and the tokens of pages and sessions. From any thread. Each session is given a loop, which serves
/// its streams as it serves other clients.
/// </summary>
/// <param name="loops">Where sessions may live.</param>
/// <param name="engine">Serves streams.</param>
/// <param name="listener">Whose they are, and whose secrets are good.</param>
/// <param name="tokens">Signs.</param>
/// <param name="report">Told of what happens.</param>
/// <param name="limits">Of sessions, at first.</param>
/// <param name="time">The clock.</param>
internal sealed class WebSessions(
    ImmutableArray<EventLoop> loops, IAcceptor engine, ListenerContext listener, WebTokenKey tokens, WebReport report, WebLimits limits,
    TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ShownPages _pages = new(limits.Bootstraps, limits.TokenMs);
    private readonly Dictionary<UInt128, WebEntry> _live = [];
    private readonly HashSet<UInt128> _ended = [];
    private readonly Queue<(UInt128 Number, long Ms)> _endAges = new();
    private readonly WebTotals _before = new();
    private readonly long _start = time.GetTimestamp();
    private int _nextLoop;
    private bool _isClosed;

    /// <summary>Where sessions may live.</summary>
    public ImmutableArray<EventLoop> Loops => loops;

    /// <summary>WebSockets that loops serve, those that say goodbye too.</summary>
    public OpenSockets Sockets { get; } = new();

    /// <summary>Bounds of all of them together.</summary>
    public WebBounds Bounds { get; } = new(limits, report);

    /// <summary>Told of what happens.</summary>
    public WebReport Report => report;

    /// <summary>Sessions there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _live.Count;
        }
    }

    /// <summary>A token for a bridge page, which is about to be shown to a user.</summary>
    /// <returns>Null if there have been too many.</returns>
    public string? NewPage(WebUser user)
    {
        var now = NowMs;
        string token;
        lock (_gate)
        {
            if (_isClosed || !IsGood(user) || IsOutOfMemory()) return null;
            if (!Bounds.MayShowPage(user, now))
            {
                report.Refused("pages");
                return null;
            }

            token = NewToken(WebTokenKind.Bootstrap, out var number);
            _pages.Add(number, new ShownPage(user, now), now);
        }

        report.PageShown();
        return token;
    }

    /// <summary>Creates a session, or finds the one that the same page has created: the first answer may have been lost.</summary>
    /// <param name="page">The token of the page.</param>
    /// <param name="client">The app's address.</param>
    public WebCreation Create(WebToken page, IPEndPoint client)
    {
        var now = NowMs;
        WebSession session = null!;
        WebCreation created;
        long shownMs;
        lock (_gate)
        {
            if (!_pages.TryFind(page.Number, now, out var shown)) return default;
            if (shown.SessionToken is not null)
                return new(_live.ContainsKey(shown.Session) ? shown.SessionToken : null, IsOverLimit: false);
            if (!IsGood(shown.User)) return default;
            // The next process, which the app asks when it comes again, knows nothing of this page, and says so.
            if (_isClosed || IsOutOfMemory()) return new(null, IsOverLimit: true);
            if (_live.Count >= Bounds.Limits.Sessions || !Bounds.MayCreateSession(shown.User, now))
            {
                report.Refused("sessions");
                return new(null, IsOverLimit: true);
            }

            var loop = loops[_nextLoop++ % loops.Length];
            created = new(NewToken(WebTokenKind.Session, out var number), IsOverLimit: false);
            _pages.Use(shown, created.Token!, number);
            var name = report.NextNumber();
            shownMs = shown.ShownMs;
            SessionCarriers carriers = null!;
            session = new WebSession(loop, engine, shown.User, client, Bounds, fault =>
            {
                carriers.End();
                Forget(number, session, carriers.Used);
                report.Ended(name, session, carriers.Used, NowMs - now, fault);
            });
            carriers = new SessionCarriers(session, Bounds.Limits);
            _live.Add(number, new WebEntry(session, carriers, Sockets));
        }

        report.Created(now - shownMs);
        session.Loop.Post(session.Begin, session.OnFault);
        return created;
    }

    /// <summary>What there is, and what there has been, by carrier.</summary>
    public IReadOnlyList<WebFigures> Figures()
    {
        lock (_gate) return _before.FiguresOf(listener.Name, _live.Values);
    }

    /// <summary>What they have carried, those that have ended too.</summary>
    public WebBytes Bytes()
    {
        lock (_gate) return _before.BytesOf(listener.Name, _live.Values);
    }

    /// <summary>A connection that came as a stranger's has shown the token of a session.</summary>
    /// <param name="connection">The name that its PROXY header gave it.</param>
    public void Vouch(string connection)
    {
        if (!SessionId.TryParse(connection, out var id) || id.Loop >= loops.Length) return;
        var loop = loops[id.Loop];
        loop.Post(() => (loop.Slots.Find(id.Token)?.Owner as CoverRelay)?.Vouch(), _ => { });
    }

    /// <summary>A session that is alive.</summary>
    public WebEntry? Find(WebToken token)
    {
        lock (_gate) return _live.GetValueOrDefault(token.Number);
    }

    /// <summary>Whether a session of this token was alive not long ago.</summary>
    public bool HasEnded(WebToken token)
    {
        lock (_gate)
        {
            ForgetEnds(NowMs);
            return _ended.Contains(token.Number);
        }
    }

    /// <summary>Ends those whose secret is good no longer.</summary>
    public Task EndRevokedAsync() => EndAsync(session => !IsGood(session.User), WebEnd.Revoked);

    /// <summary>Creates none any more; those that there are end as they become silent, at the latest after a time.</summary>
    public Task DrainAsync(TimeSpan drain)
    {
        WebEntry[] entries;
        lock (_gate)
        {
            _isClosed = true;
            entries = [.. _live.Values];
            if (entries.Length == 0) _empty.TrySetResult();
        }

        return Task.WhenAll(entries.Select(entry => entry.DrainAsync(drain)));
    }

    /// <summary>Completes when, after <see cref="DrainAsync"/>, the last one has ended.</summary>
    public Task Empty => _empty.Task;

    /// <summary>Creates none any more, and ends those that there are.</summary>
    public Task CloseAsync()
    {
        lock (_gate) _isClosed = true;
        return EndAsync(_ => true, WebEnd.Shutdown);
    }

    private long NowMs => (long)time.GetElapsedTime(_start).TotalMilliseconds;

    private Task EndAsync(Func<WebSession, bool> which, WebEnd end)
    {
        WebEntry[] entries;
        lock (_gate) entries = [.. _live.Values];
        return Task.WhenAll(entries.Where(entry => which(entry.Session)).Select(entry => entry.EndAsync(end)));
    }

    private bool IsGood(WebUser user)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        return listener.Users.Find(user.Credential.Secret, now) is { } record && record.Refusal(now) is null;
    }

    // Whoever comes then is a stranger: shown the site, or told to come again.
    private bool IsOutOfMemory()
    {
        if (loops[0].Memory.Level != MemoryLevel.Full) return false;
        report.Refused("memory");
        return true;
    }

    private string NewToken(WebTokenKind kind, out UInt128 number)
    {
        Span<byte> random = stackalloc byte[WebTokenKey.RandomLength];
        RandomNumberGenerator.Fill(random);
        var text = tokens.Mint(kind, random);
        tokens.TryRead(text, out var token);
        number = token.Number;
        return text;
    }

    private void Forget(UInt128 number, WebSession session, WebCarrier? carrier)
    {
        lock (_gate)
        {
            if (!_live.Remove(number)) return;
            _before.Add(session, carrier);
            if (_isClosed && _live.Count == 0) _empty.TrySetResult();
            var now = NowMs;
            ForgetEnds(now);
            _ended.Add(number);
            _endAges.Enqueue((number, now));
        }
    }

    private void ForgetEnds(long now)
    {
        while (_endAges.TryPeek(out var oldest) && now - oldest.Ms >= limits.TokenMs)
        {
            _endAges.Dequeue();
            _ended.Remove(oldest.Number);
        }
    }
}
