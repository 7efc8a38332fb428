using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Access;
using Portico.Admin.Api;

namespace Portico.Admin.Dashboard;

/// <summary>
/// The dashboard at <c>/</c>. Its scripts ask the interface like any other program; a browser without scripts gets the state as a plain
/// table, and a form for the token.
/// </summary>
internal sealed class DashboardPage(AdminHost host, AccessControl access)
{
    private const string Place = "<!--status-->";

    private readonly DashboardFiles _files = new();

    public ImmutableArray<Operation> Operations =>
    [
        new("GET", "/", "dashboard", "The dashboard.", PageAsync) { MayCall = MayCall.Public, IsDescribed = false },
        new("POST", "/login", "login", "The token, from a browser without scripts.", LogInAsync)
        {
            MayCall = MayCall.Public, IsDescribed = false,
        },
        .. DashboardFiles.Paths.Select(path =>
            new Operation("GET", $"/{path}", path, "A file of the dashboard.", _files.AnswerAsync)
            {
                MayCall = MayCall.Public, IsDescribed = false,
            }),
    ];

    private Task<Answer> PageAsync(HttpContext context)
    {
        var isKnown = access.SessionEnd(context.Request) is not null || Doors.Door.Of(context) is { IsSocket: true };
        var text = _files.Page.Replace(Place, isKnown ? StatusTable() : Form, StringComparison.Ordinal);
        return Task.FromResult(Answer.Bytes(Encoding.UTF8.GetBytes(text), "text/html; charset=utf-8"));
    }

    // A form of another site that brought the right token would know it: nothing is lost by letting it in.
    private async Task<Answer> LogInAsync(HttpContext context)
    {
        if (!context.Request.HasFormContentType)
            return Answer.Problem(StatusCodes.Status415UnsupportedMediaType, "this takes the form of the page");
        var form = await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
        if (access.Begin(context, form["token"].ToString(), out _) is { } refusal) return refusal;
        context.Response.Headers.Location = "/";
        return Answer.Empty(StatusCodes.Status303SeeOther);
    }

    private string StatusTable()
    {
        var status = host.Control.Status(host.Version);
        var rows = new List<(string Head, string Text)>
        {
            ("Version", status.Version),
            ("State", status.NotReady.IsEmpty ? status.State : $"{status.State}, not ready: {string.Join(", ", status.NotReady)}"),
            ("Up", TimeSpan.FromSeconds(status.UptimeSeconds).ToString("c", CultureInfo.InvariantCulture)),
            ("Clients", Number(status.Listeners.Sum(it => it.Relaying))),
            ("Visitors of the cover", Number(status.Listeners.Sum(it => it.Cover))),
            ("Received", $"{Number(status.Listeners.Sum(it => it.ReceivedBytes))} bytes"),
            ("Sent", $"{Number(status.Listeners.Sum(it => it.SentBytes))} bytes"),
            ("Cover", $"{status.Cover.Mode}{(status.Cover.Reachable ? "" : ", cannot be reached")}"),
        };
        rows.AddRange(status.Listeners.Select(it => ($"Listener {it.Name}", $"{it.Address}, {Number(it.Users)} users")));
        rows.AddRange(status.Dcs.Where(it => !it.Reachable).Select(it => ($"Data centre {it.Dc}", "cannot be reached")));
        var html = HtmlEncoder.Default;
        return $"<table>{string.Concat(rows.Select(row =>
            $"<tr><th scope=\"row\">{html.Encode(row.Head)}</th><td>{html.Encode(row.Text)}</td></tr>"))}</table>";
    }

    private static string Form { get; } =
        """
        <form method="post" action="/login"><label>admin.token <input type="password" name="token" autocomplete="current-password"
        required></label> <button>→</button></form>
        """;

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
