using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Access;
using Portico.Admin.Json;

namespace Portico.Admin.Api;

/// <summary>How the dashboard's browsers come in: they show the token once and have a cookie from then on.</summary>
internal sealed class SessionApi(AccessControl access)
{
    public ImmutableArray<Operation> Operations =>
    [
        new("GET", "/api/session", "browserSession", "Is this browser known?", FindAsync) { Answers = AdminJson.Default.BrowserSession },
        new("POST", "/api/session", "beginBrowserSession", "Show the token, and have a cookie from then on.", BeginAsync)
        {
            MayCall = MayCall.Public, Body = RequestJson.Default.TokenRequest, Answers = AdminJson.Default.BrowserSession,
            Errors =
            [
                (StatusCodes.Status401Unauthorized, "The token is wrong"),
                (StatusCodes.Status403Forbidden, "No token is configured"),
            ],
        },
        new("DELETE", "/api/session", "endBrowserSession", "Forget this browser.", EndAsync) { Answers = AdminJson.Default.BrowserSession },
    ];

    private Task<Answer> FindAsync(HttpContext context) =>
        Task.FromResult(Answer.Json(new BrowserSession(access.SessionEnd(context.Request)), AdminJson.Default.BrowserSession));

    private async Task<Answer> BeginAsync(HttpContext context)
    {
        if (!DashboardSessions.IsOwnPages(context.Request)) return NoForms;
        var (body, problem) = await Input.BodyAsync(context, RequestJson.Default.TokenRequest).ConfigureAwait(false);
        if (problem is not null) return problem;
        return access.Begin(context, body?.Token ?? "", out var ends)
            ?? Answer.Json(new BrowserSession(ends), AdminJson.Default.BrowserSession);
    }

    private Task<Answer> EndAsync(HttpContext context)
    {
        access.End(context);
        return Task.FromResult(Answer.Json(new BrowserSession(null), AdminJson.Default.BrowserSession));
    }

    private static Answer NoForms { get; } = Answer.Problem(
        StatusCodes.Status403Forbidden, $"the pages send the header {DashboardSessions.Header}", DashboardSessions.Header);
}
