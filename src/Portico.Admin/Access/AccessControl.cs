using System.Net;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Api;
using Portico.Admin.Doors;
using Portico.Core.Options;

namespace Portico.Admin.Access;

/// <summary>Who may do what. What is not said to be open needs the token, paths that do not exist too: nobody learns which do.</summary>
/// <param name="settings">Those in force.</param>
/// <param name="time">The clock.</param>
internal sealed class AccessControl(Func<AdminSettings> settings, TimeProvider time)
{
    private const string Scheme = "Bearer ";

    private readonly WrongTokens _wrong = new(time);
    private readonly DashboardSessions _browsers = new(time);

    /// <summary>Until when the browser of a request is known; null = it is not.</summary>
    public DateTimeOffset? SessionEnd(HttpRequest request) =>
        settings().Token is { } token ? _browsers.Find(request, token) : null;

    /// <summary>A browser shows the token. Null, or why it is refused.</summary>
    /// <param name="context">The request; its answer sets the cookie.</param>
    /// <param name="given">What it shows.</param>
    /// <param name="ends">Until when it is known.</param>
    public Answer? Begin(HttpContext context, string given, out DateTimeOffset ends)
    {
        ends = default;
        var remote = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (settings().Token is not { } token) return NoToken;
        if (token.Matches(given))
        {
            ends = _browsers.Begin(context, token);
            return null;
        }

        if (_wrong.MustWait(remote, out var wait)) return TooMany(context, wait);
        _wrong.Note(remote);
        return Unauthorized(context, isMissing: given.Length == 0);
    }

    /// <summary>The browser of a request is forgotten.</summary>
    public void End(HttpContext context) => _browsers.End(context);

    /// <summary>Null, or why a request may not.</summary>
    /// <param name="context">The request.</param>
    /// <param name="operation">What it wants; null = nothing that there is.</param>
    public Answer? Refusal(HttpContext context, Operation? operation)
    {
        if (Door.Of(context) is { IsSocket: true }) return null;
        var (admin, remote) = (settings(), context.Connection.RemoteIpAddress ?? IPAddress.None);
        var given = TokenOf(context.Request);
        if (given is not null && admin.Token is { } token)
        {
            // First: wrong tokens of others, through the same web server perhaps, keep nobody out who has the right one.
            if (token.Matches(given)) return null;
            if (_wrong.MustWait(remote, out var wait)) return TooMany(context, wait);
            _wrong.Note(remote);
        }
        else if (SessionEnd(context.Request) is not null)
        {
            return DashboardSessions.IsOwnPages(context.Request)
                ? null
                : Answer.Problem(
                    StatusCodes.Status403Forbidden,
                    $"with the cookie, what changes something carries the header {DashboardSessions.Header}", DashboardSessions.Header);
        }

        if (!HostNames.IsOurs(context.Request.Host.Host, admin.Hosts))
        {
            return Answer.Problem(
                StatusCodes.Status421MisdirectedRequest,
                "without the token, this interface answers to the names of loopback and those in admin.hosts only", "Host");
        }

        return operation?.MayCall switch
        {
            MayCall.Public => null,
            MayCall.Metrics when IPAddress.IsLoopback(remote) && !IsForwarded(context.Request) => null,
            _ when admin.Token is null => NoToken,
            _ => Unauthorized(context, given is null),
        };
    }

    private static Answer NoToken { get; } = Answer.Problem(
        StatusCodes.Status403Forbidden, "no token is configured, so over TCP there are /healthz, /readyz and /metrics only; "
            + "set admin.token, or use the unix socket", "admin.token");

    private static Answer TooMany(HttpContext context, TimeSpan wait)
    {
        context.Response.Headers.RetryAfter = $"{Math.Ceiling(wait.TotalSeconds):0}";
        return Answer.Problem(StatusCodes.Status429TooManyRequests, "too many wrong tokens came from this address", "Authorization");
    }

    // By a web server of this machine, for somebody elsewhere.
    private static bool IsForwarded(HttpRequest request) =>
        request.Headers.ContainsKey("Forwarded") || request.Headers.ContainsKey("X-Forwarded-For")
        || request.Headers.ContainsKey("X-Real-IP") || request.Headers.ContainsKey("Via");

    private static Answer Unauthorized(HttpContext context, bool isMissing)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"portico\"";
        return Answer.Problem(
            StatusCodes.Status401Unauthorized,
            isMissing ? "send the token of admin.token: Authorization: Bearer TOKEN" : "the token is wrong", "Authorization");
    }

    private static string? TokenOf(HttpRequest request)
    {
        var header = request.Headers.Authorization;
        return header is [{ } text] && text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? text[Scheme.Length..].Trim() : null;
    }
}
