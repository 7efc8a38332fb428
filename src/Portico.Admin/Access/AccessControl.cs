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
            if (_wrong.MustWait(remote, out var wait))
            {
                context.Response.Headers.RetryAfter = $"{Math.Ceiling(wait.TotalSeconds):0}";
                return Answer.Problem(
                    StatusCodes.Status429TooManyRequests, "too many wrong tokens came from this address", "Authorization");
            }

            _wrong.Note(remote);
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
            _ when admin.Token is null => Answer.Problem(
                StatusCodes.Status403Forbidden, "no token is configured, so over TCP there are /healthz, /readyz and /metrics only; "
                    + "set admin.token, or use the unix socket", "admin.token"),
            _ => Unauthorized(context, given is null),
        };
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
