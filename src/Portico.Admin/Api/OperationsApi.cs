using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Portico.Admin.Json;

namespace Portico.Admin.Api;

/// <summary>What changes the running process as a whole: its configuration and what it logs.</summary>
internal sealed class OperationsApi(AdminHost host, AuditLog audit, TimeProvider time)
{
    private const int UsualSeconds = 600, MostSeconds = 86_400;

    private static readonly (string Name, LogLevel Level)[] Levels =
    [
        ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warn", LogLevel.Warning),
        ("error", LogLevel.Error),
    ];

    public ImmutableArray<Operation> Operations =>
    [
        new("POST", "/api/reload", "reload", "Read the configuration again: all of it that needs no start is put in force, or nothing.",
            ReloadAsync)
        {
            Answers = AdminJson.Default.ReloadOutcome,
            Errors =
            [
                (StatusCodes.Status422UnprocessableEntity, "It was refused and everything runs on as it was; errors names every key"),
                (StatusCodes.Status501NotImplemented, "This proxy has no file that could be read again"),
            ],
        },
        new("POST", "/api/upgrade", "upgrade",
            "Start the program anew, in the version that is installed by now; it takes over without a refused connection.", UpgradeAsync)
        {
            Answers = AdminJson.Default.UpgradeOutcome,
            Errors =
            [
                (StatusCodes.Status409Conflict, "Nobody took over, and this process serves on; the detail says why"),
                (StatusCodes.Status501NotImplemented, "This program cannot start itself anew"),
            ],
        },
        new("PUT", "/api/log-level", "setLogLevel", "Log more or less for a time; it falls back by itself.", SetLevelAsync)
        {
            Body = RequestJson.Default.LogLevelRequest,
            Answers = AdminJson.Default.LogLevelAnswer,
            Errors = [(StatusCodes.Status501NotImplemented, "This program's logging is not for us to change")],
        },
    ];

    private async Task<Answer> ReloadAsync(HttpContext context)
    {
        if (host.Reload is not { } reload)
        {
            return Answer.Problem(
                StatusCodes.Status501NotImplemented, "this proxy runs without a configuration file, so there is nothing to read again");
        }

        var outcome = await reload("the administration").ConfigureAwait(false);
        audit.Changed(
            context, "configuration", "as it ran",
            outcome.Changes.IsEmpty ? outcome.Result : $"{outcome.Result}: {string.Join(", ", outcome.Changes.Select(it => it.Key))}");
        if (outcome.Result != "refused")
            return Answer.Json(outcome, AdminJson.Default.ReloadOutcome);
        return Answer.Problem(
            StatusCodes.Status422UnprocessableEntity, "the configuration has errors; everything runs on as it was",
            outcome.Errors is [var first, ..] ? first.Key : null, outcome.Errors);
    }

    private async Task<Answer> UpgradeAsync(HttpContext context)
    {
        if (host.Upgrade is not { } upgrade)
            return Answer.Problem(StatusCodes.Status501NotImplemented, "this program cannot start itself anew");
        var outcome = await upgrade("the administration").ConfigureAwait(false);
        audit.Changed(context, "upgrade", $"version {host.Version}", outcome.Problem ?? $"process {outcome.Process}");
        return outcome.Problem is { } problem
            ? Answer.Problem(StatusCodes.Status409Conflict, problem)
            : Answer.Json(outcome, AdminJson.Default.UpgradeOutcome);
    }

    private async Task<Answer> SetLevelAsync(HttpContext context)
    {
        if (host.LogLevel is not { } change)
            return Answer.Problem(StatusCodes.Status501NotImplemented, "this program's logging is not for us to change");
        var (body, problem) = await Input.BodyAsync(context, RequestJson.Default.LogLevelRequest).ConfigureAwait(false);
        if (problem is not null) return problem;
        var wanted = Array.Find(Levels, level => level.Name == body?.Level);
        if (wanted.Name is null)
        {
            return Answer.Problem(
                StatusCodes.Status400BadRequest, $"level must be one of {string.Join(", ", Levels.Select(level => level.Name))}", "level");
        }

        var seconds = body!.Seconds ?? UsualSeconds;
        if (seconds is < 1 or > MostSeconds)
            return Answer.Problem(StatusCodes.Status400BadRequest, $"seconds must be a number from 1 to {MostSeconds}", "seconds");
        var duration = TimeSpan.FromSeconds(seconds);
        if (change(body.Category, wanted.Level, duration) is not { } before)
        {
            return Answer.Problem(
                StatusCodes.Status400BadRequest,
                "category must be letters, digits and dots: a folder such as \"cover\", or the beginning of a category's name", "category");
        }

        var was = Array.Find(Levels, level => level.Level == before).Name ?? "none";
        audit.Changed(context, $"log level of {body.Category ?? "everything"} for {seconds} s", was, wanted.Name);
        var answer = new LogLevelAnswer(body.Category, wanted.Name, was, time.GetUtcNow() + duration);
        return Answer.Json(answer, AdminJson.Default.LogLevelAnswer);
    }
}
