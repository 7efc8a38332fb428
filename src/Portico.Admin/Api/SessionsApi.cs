using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Json;
using Portico.Core.Control;

namespace Portico.Admin.Api;

/// <summary>Who is connected.</summary>
internal sealed class SessionsApi(AdminHost host, AuditLog audit)
{
    private static readonly ImmutableArray<Parameter> Paging =
    [
        new("cursor", "next of the page before"),
        new("limit", $"How many, 1 to {ProxyControl.MostOnPage}; 100 if absent", IsNumber: true),
    ];

    public ImmutableArray<Operation> Operations =>
    [
        new("GET", "/api/sessions", "sessions", "Connections that are open, by pages.", ListAsync)
        {
            Parameters = Paging, Answers = AdminJson.Default.SessionPage,
        },
        new("DELETE", "/api/sessions/{id}", "endSession", "End a session, with the close reason ended_by_operator.", EndAsync)
        {
            Parameters = [new("id", "As in the list", IsInPath: true)],
            Answers = AdminJson.Default.SessionEnd,
            Errors = [(StatusCodes.Status404NotFound, "There is no session of this id")],
        },
        new("GET", "/api/users", "users", "Users with connections, networks, bytes and when they were last seen, by pages.", UsersAsync)
        {
            Parameters = Paging, Answers = AdminJson.Default.UserPage,
        },
    ];

    private static Answer NoCursor { get; } =
        Answer.Problem(StatusCodes.Status400BadRequest, "cursor must be next of the page before", "cursor");

    private async Task<Answer> ListAsync(HttpContext context)
    {
        if (Input.Limit(context, ProxyControl.MostOnPage, out var limit) is { } problem)
            return problem;
        var page = await host.Control.SessionsAsync(Input.Query(context, "cursor"), limit).ConfigureAwait(false);
        return page is null ? NoCursor : Answer.Json(page, AdminJson.Default.SessionPage);
    }

    private async Task<Answer> EndAsync(HttpContext context)
    {
        var id = Input.Path(context, "id");
        if (!await host.Control.EndSessionAsync(id).ConfigureAwait(false))
            return Answer.Problem(StatusCodes.Status404NotFound, "there is no session of this id; it may have ended by itself", "id");
        audit.Changed(context, $"session {id}", "open", "ended");
        return Answer.Json(new SessionEnd(id, true), AdminJson.Default.SessionEnd);
    }

    private async Task<Answer> UsersAsync(HttpContext context)
    {
        if (Input.Limit(context, ProxyControl.MostOnPage, out var limit) is { } problem)
            return problem;
        var page = await host.Control.UsersAsync(Input.Query(context, "cursor"), limit).ConfigureAwait(false);
        return page is null ? NoCursor : Answer.Json(page, AdminJson.Default.UserPage);
    }
}
