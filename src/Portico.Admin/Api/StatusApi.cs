using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Json;

namespace Portico.Admin.Api;

/// <summary>How the proxy is.</summary>
internal sealed class StatusApi(AdminHost host)
{
    // One at a time: it asks many others, and may be asked again and again.
    private int _isExamining;

    public ImmutableArray<Operation> Operations =>
    [
        new("GET", "/healthz", "health", "Does the process serve? Asks its event loops and nobody outside.", HealthAsync)
        {
            MayCall = MayCall.Public, Answers = AdminJson.Default.HealthAnswer,
        },
        new("GET", "/readyz", "ready", "Should new clients come? If not: draining, no_dc, descriptors, memory.", ReadyAsync)
        {
            MayCall = MayCall.Public, Answers = AdminJson.Default.ReadyAnswer,
            Errors = [(StatusCodes.Status503ServiceUnavailable, "It is not ready; the body has the same shape and says why")],
        },
        new("GET", "/api/status", "status", "State, listeners, data centres, cover, memory.", StatusAsync)
        {
            Answers = AdminJson.Default.ProxyStatus,
        },
        new("GET", "/api/config", "configuration", "The configuration in force, without secrets.", ConfigurationAsync),
        new("POST", "/api/telegram/refresh", "refreshTelegram", "Ask Telegram for its middle proxies now.", RefreshAsync)
        {
            Answers = AdminJson.Default.TelegramRefresh,
        },
        new("POST", "/api/doctor", "doctor", "Look at everything that can keep clients out; takes up to 12 s.", DoctorAsync)
        {
            Errors =
            [
                (StatusCodes.Status409Conflict, "It is under way already"),
                (StatusCodes.Status501NotImplemented, "This program has no doctor"),
            ],
        },
    ];

    private async Task<Answer> HealthAsync(HttpContext context)
    {
        await host.Control.TurnAsync().ConfigureAwait(false);
        return Answer.Json(new HealthAnswer("ok"), AdminJson.Default.HealthAnswer);
    }

    private Task<Answer> ReadyAsync(HttpContext context)
    {
        var reasons = host.Control.NotReady();
        var status = reasons.IsEmpty ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return Task.FromResult(Answer.Json(new ReadyAnswer(reasons.IsEmpty, reasons), AdminJson.Default.ReadyAnswer, status));
    }

    private Task<Answer> StatusAsync(HttpContext context) =>
        Task.FromResult(Answer.Json(host.Control.Status(host.Version), AdminJson.Default.ProxyStatus));

    private Task<Answer> ConfigurationAsync(HttpContext context) => Task.FromResult(Answer.RawJson(host.Configuration()));

    private Task<Answer> RefreshAsync(HttpContext context) =>
        Task.FromResult(Answer.Json(host.Control.RefreshTelegram(), AdminJson.Default.TelegramRefresh));

    private async Task<Answer> DoctorAsync(HttpContext context)
    {
        if (host.Doctor is not { } doctor)
            return Answer.Problem(StatusCodes.Status501NotImplemented, "this program has no doctor");
        if (Interlocked.Exchange(ref _isExamining, 1) != 0)
            return Answer.Problem(StatusCodes.Status409Conflict, "the doctor is at work already; ask again in some seconds");
        try
        {
            return Answer.RawJson(await doctor(context.RequestAborted).ConfigureAwait(false));
        }
        finally
        {
            Volatile.Write(ref _isExamining, 0);
        }
    }
}
