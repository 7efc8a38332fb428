using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Json;
using Portico.Core.Control;

namespace Portico.Admin.Api;

/// <summary>Rules and tables.</summary>
internal sealed class PolicyApi(AdminHost host, AuditLog audit)
{
    private static readonly Parameter Table = new("table", "Name of the table", IsInPath: true);

    public ImmutableArray<Operation> Operations =>
    [
        new("GET", "/api/policy", "policy", "Rules and tables with what they count; and why a client would be refused.", ReportAsync)
        {
            Parameters =
            [
                new("listener", "Ask about a client that came now: the name of its listener"),
                new("domain", "The host that it names; absent = it speaks no TLS"),
                new("address", "Its address"),
            ],
            Answers = AdminJson.Default.PolicyReport,
        },
        new("GET", "/api/tables/{table}", "table", "What a table holds, by pages.", PageAsync)
        {
            Parameters =
            [
                Table,
                new("cursor", "next of the page before"),
                new("limit", $"How many, 1 to {PolicyControl.MostValues}; 100 if absent", IsNumber: true),
            ],
            Answers = AdminJson.Default.TablePage,
            Errors = [NoTable],
        },
        new("POST", "/api/tables/{table}", "addToTable", "Put values into a table. It is kept over a restart.", AddAsync)
        {
            Parameters = [Table], Body = RequestJson.Default.TableRequest, Answers = AdminJson.Default.TableEdit, Errors = [Refused],
        },
        new("DELETE", "/api/tables/{table}", "removeFromTable", "Take values out of a table; without a body, all of them.", RemoveAsync)
        {
            Parameters = [Table],
            Body = RequestJson.Default.TableRequest,
            Answers = AdminJson.Default.TableEdit,
            Errors = [NoTable, Refused],
        },
    ];

    private static (int, string) NoTable => (StatusCodes.Status404NotFound, "There is no such table");

    private static (int, string) Refused => (StatusCodes.Status422UnprocessableEntity, "Nothing was changed; the detail says why");

    private Task<Answer> ReportAsync(HttpContext context) => Task.FromResult(Report(context));

    private Answer Report(HttpContext context)
    {
        var (listener, domain, text) =
            (Input.Query(context, "listener"), Input.Query(context, "domain"), Input.Query(context, "address"));
        IPAddress? address = null;
        if (text is not null && !IPAddress.TryParse(text, out address))
            return Answer.Problem(StatusCodes.Status400BadRequest, "address must be one of IPv4 or IPv6", "address");
        var report = host.Control.Policy.Report();
        if (listener is null && domain is null && address is null)
            return Answer.Json(report, AdminJson.Default.PolicyReport);
        var names = host.Control.Settings.Listeners.Select(it => it.Name).ToList();
        listener ??= names[0];
        if (!names.Contains(listener))
            return Answer.Problem(StatusCodes.Status400BadRequest, $"the listeners are {string.Join(", ", names)}", "listener");
        return Answer.Json(report with { Answer = host.Control.Policy.Ask(listener, domain, address) }, AdminJson.Default.PolicyReport);
    }

    private Task<Answer> PageAsync(HttpContext context) => Task.FromResult(Page(context));

    private Answer Page(HttpContext context)
    {
        if (Input.Limit(context, PolicyControl.MostValues, out var limit) is { } problem)
            return problem;
        var table = Input.Path(context, "table");
        var page = host.Control.Policy.Page(table, Input.Query(context, "cursor"), limit);
        if (page is not null) return Answer.Json(page, AdminJson.Default.TablePage);
        return SizeOf(table) is null ? NotThere() : Answer.Problem(
            StatusCodes.Status400BadRequest, "cursor must be next of the page before", "cursor");
    }

    private Task<Answer> AddAsync(HttpContext context) => ChangeAsync(context, adds: true);

    private Task<Answer> RemoveAsync(HttpContext context) => ChangeAsync(context, adds: false);

    private async Task<Answer> ChangeAsync(HttpContext context, bool adds)
    {
        var table = Input.Path(context, "table");
        var (body, problem) = await Input.BodyAsync(context, RequestJson.Default.TableRequest).ConfigureAwait(false);
        if (problem is not null) return problem;
        var before = SizeOf(table);
        if (!adds && before is null) return NotThere();
        ImmutableArray<string> values = [.. (string[])(body?.Value is { } one ? [one] : []), .. body?.Values ?? []];
        if (values.Contains(null!))
            return Answer.Problem(StatusCodes.Status400BadRequest, "a value must be a text, not null", "values");
        if (values.IsEmpty && (adds || body is not null))
        {
            return Answer.Problem(
                StatusCodes.Status400BadRequest,
                "name a value, for example {\"value\": \"a.example.com\"}, or several in \"values\"", "value");
        }

        var edit = body is null
            ? host.Control.Policy.Empty(table, out var refused)
            : host.Control.Policy.Change(table, body.Key, values, adds, out refused);
        if (edit is null)
            return Answer.Problem(StatusCodes.Status422UnprocessableEntity, refused!, body?.Key is null ? "value" : "key");
        var shown = body is null ? "all" : string.Join(", ", values.Take(10));
        audit.Changed(
            context, $"table {table} {(adds ? "+" : "-")} {shown}", Words(before ?? 0), Words(edit.Size));
        return Answer.Json(edit, AdminJson.Default.TableEdit);
    }

    private static string Words(int size) => string.Create(CultureInfo.InvariantCulture, $"{size} values");

    private static Answer NotThere() =>
        Answer.Problem(StatusCodes.Status404NotFound, "there is no such table; GET /api/policy lists them", "table");

    private int? SizeOf(string table) => host.Control.Policy.Page(table, null, 1)?.Table.Size;
}
