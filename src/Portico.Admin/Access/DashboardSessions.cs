using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Portico.Core.Options;

namespace Portico.Admin.Access;

/// <summary>
/// Browsers that showed the token once. What a browser keeps is random and no use without this process; it is sent to no other site, and
/// scripts cannot read it.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class DashboardSessions(TimeProvider time)
{
    /// <summary>Name of the cookie.</summary>
    public const string Cookie = "portico_session";

    /// <summary>A request that changes something must carry it: a form of another site cannot.</summary>
    public const string Header = "X-Portico";

    /// <summary>A browser that asks nothing for so long must show the token again.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private const int Most = 64, IdLength = 32;

    private readonly Lock _gate = new();
    private readonly List<Session> _sessions = [];

    // The token that was shown: with another one in force, nobody who showed this one is known.
    private sealed record Session(byte[] Hash, AdminToken Token)
    {
        public DateTimeOffset Ends { get; set; }
    }

    /// <summary>Lets a browser in that showed the token.</summary>
    /// <param name="context">The request; its answer sets the cookie.</param>
    /// <param name="token">In force.</param>
    public DateTimeOffset Begin(HttpContext context, AdminToken token)
    {
        var id = RandomNumberGenerator.GetHexString(2 * IdLength, lowercase: true);
        var session = new Session(HashOf(id), token) { Ends = time.GetUtcNow() + Lifetime };
        lock (_gate)
        {
            _sessions.RemoveAll(it => it.Ends <= time.GetUtcNow());
            if (_sessions.Count == Most) _sessions.RemoveAt(0);
            _sessions.Add(session);
        }

        context.Response.Cookies.Append(Cookie, id, OptionsFor(context));
        return session.Ends;
    }

    /// <summary>Until when the browser of a request is known; null = it is not. Each request makes that later.</summary>
    public DateTimeOffset? Find(HttpRequest request, AdminToken token)
    {
        if (request.Cookies[Cookie] is not { Length: 2 * IdLength } id) return null;
        var (hash, now) = (HashOf(id), time.GetUtcNow());
        lock (_gate)
        {
            var session = _sessions.Find(it => it.Token.IsSame(token) && CryptographicOperations.FixedTimeEquals(it.Hash, hash));
            if (session is null || session.Ends <= now) return null;
            return session.Ends = now + Lifetime;
        }
    }

    /// <summary>Forgets the browser of a request.</summary>
    public void End(HttpContext context)
    {
        if (context.Request.Cookies[Cookie] is { } id)
        {
            var hash = HashOf(id);
            lock (_gate) _sessions.RemoveAll(it => CryptographicOperations.FixedTimeEquals(it.Hash, hash));
        }

        context.Response.Cookies.Delete(Cookie, OptionsFor(context));
    }

    /// <summary>Whether a request comes from our own pages: it only looks, or says what no form of another site can say.</summary>
    public static bool IsOwnPages(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || request.Headers.ContainsKey(Header);

    // A web server in front that speaks TLS says so; without one, a cookie for TLS alone would not come back.
    private static CookieOptions OptionsFor(HttpContext context) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Path = "/",
        IsEssential = true,
        Secure = context.Request.IsHttps || context.Request.Headers["X-Forwarded-Proto"] == "https",
    };

    private static byte[] HashOf(string id) => SHA256.HashData(Encoding.ASCII.GetBytes(id));
}
