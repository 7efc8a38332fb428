using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Json;
using Portico.Admin.Overview;

namespace Portico.Admin.Api;

/// <summary>What an operator wants to see first.</summary>
/// <param name="host">The proxy.</param>
/// <param name="minutes">The last day; null where the interface is only described.</param>
internal sealed class OverviewApi(AdminHost host, TrafficMinutes? minutes)
{
    public ImmutableArray<Operation> Operations =>
    [
        new("GET", "/api/overview", "overview", "The last day by minutes, and whether clients can get through, in one word.", ReadAsync)
        {
            Answers = AdminJson.Default.OverviewAnswer,
        },
    ];

    private Task<Answer> ReadAsync(HttpContext context)
    {
        var (status, all) = (host.Control.Status(host.Version), minutes!.Snapshot());
        var last = all[^1].Seconds < 5 && all.Length > 1 ? all[^2] : all[^1];
        var now = new OverviewNow(
            status.Listeners.Sum(it => it.Relaying), host.Control.ManagedUsers.Count, (long)(last.ReceivedBytes / last.Seconds),
            (long)(last.SentBytes / last.Seconds));
        return Task.FromResult(Answer.Json(
            new OverviewAnswer(now, Verdict.Of(status, all), host.Control.ManagedUsers.StorageProblem, all),
            AdminJson.Default.OverviewAnswer));
    }
}
