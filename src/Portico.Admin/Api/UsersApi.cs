using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Json;
using Portico.Core.Control;
using Portico.Core.Options;
using Portico.Core.Users;

namespace Portico.Admin.Api;

/// <summary>Users that are managed while the proxy runs, and what all users move.</summary>
internal sealed class UsersApi(AdminHost host, AuditLog audit)
{
    /// <summary>Room for a set of 100 000 users.</summary>
    public const int MostBytesOfSet = 64 * 1024 * 1024;

    // What is read as a patch takes some hundred bytes for each, however little it says.
    private const int MostMerged = 500_000;

    private const int MostGrace = 400 * 24 * 3600;

    private static readonly Parameter Name = new("name", "Of the user", IsInPath: true);

    private static readonly ImmutableArray<(int Status, string Meaning)> ChangeErrors =
    [
        (StatusCodes.Status412PreconditionFailed, "The set is not the one of If-Match any more; nothing is changed"),
        (StatusCodes.Status422UnprocessableEntity, "Something is wrong with what was sent: errors names every key; nothing is changed"),
    ];

    private static readonly ImmutableArray<(int Status, string Meaning)> ChangeOneErrors =
    [
        .. ChangeErrors,
        (StatusCodes.Status404NotFound, "There is no user of that name"),
        (StatusCodes.Status409Conflict, "The user stands in the configuration file, which is never written"),
    ];

    private static readonly ImmutableArray<(int Status, string Meaning)> NotFound =
        [(StatusCodes.Status404NotFound, "There is no user of that name")];

    public ImmutableArray<Operation> Operations =>
    [
        new("PUT", "/api/users", "replaceUsers",
            "Put a whole set of managed users in place of the one there is. Users that stay as they are keep their sessions.", ReplaceAsync)
        {
            Body = RequestJson.Default.UserSetRequest, Answers = AdminJson.Default.UserChangeAnswer, Errors = ChangeErrors,
            MostBody = MostBytesOfSet,
        },
        new("POST", "/api/users", "addUser", "Add a managed user; without a secret it gets a fresh one.", AddAsync)
        {
            Body = RequestJson.Default.UserOptions, Answers = AdminJson.Default.UserChangeAnswer, Errors = ChangeErrors,
        },
        new("PATCH", "/api/users", "mergeUsers",
            "Add managed users and change those that are there: of each what is missing stays, null clears (RFC 7396). All others stay.",
            MergeAsync)
        {
            Body = RequestJson.Default.UserSetRequest, Answers = AdminJson.Default.UserChangeAnswer, Errors = ChangeErrors,
            MostBody = MostBytesOfSet,
        },
        new("GET", "/api/export/users", "exportUsers", "The managed users as PUT takes them, secrets included.", ExportAsync)
        {
            Answers = AdminJson.Default.UserExport,
        },
        new("GET", "/api/users/{name}", "user", "One user with its sessions and links.", ShowAsync)
        {
            Parameters = [Name], Answers = AdminJson.Default.UserDetailList, Errors = NotFound,
        },
        new("PATCH", "/api/users/{name}", "changeUser", "Change a managed user: what is missing stays, null clears (RFC 7396).", PatchAsync)
        {
            Parameters = [Name], Body = RequestJson.Default.UserOptions, Answers = AdminJson.Default.UserChangeAnswer,
            Errors = ChangeOneErrors,
        },
        new("DELETE", "/api/users/{name}", "removeUser", "Take a managed user away; its sessions end, its usage is forgotten.", RemoveAsync)
        {
            Parameters = [Name], Answers = AdminJson.Default.UserChangeAnswer, Errors = ChangeOneErrors,
        },
        new("POST", "/api/users/{name}/rotate", "rotateUser", "Give a managed user a fresh secret, and with it new links.", RotateAsync)
        {
            Parameters = [Name], Body = RequestJson.Default.RotateRequest, Answers = AdminJson.Default.UserChangeAnswer,
            Errors = ChangeOneErrors,
        },
        new("POST", "/api/users/{name}/reset-usage", "resetUsage", "Count a user's quota from 0 again.", ResetAsync)
        {
            Parameters = [Name], Answers = AdminJson.Default.UserDetailList, Errors = NotFound,
        },
        new("POST", "/api/users/{name}/disconnect", "disconnectUser", "End all sessions of a user, who may come again.", DisconnectAsync)
        {
            Parameters = [Name], Answers = AdminJson.Default.UserDisconnect, Errors = NotFound,
        },
        new("GET", "/api/usage", "usage", "Counters of all users, or of those that moved since an answer before.", UsageAsync)
        {
            Parameters = [new("since", "revision of the answer before; absent = all users", IsNumber: true)],
            Answers = AdminJson.Default.UsageReport,
        },
        new("GET", "/api/history", "history", "Traffic of the last 48 hours and 400 days.", HistoryAsync)
        {
            Parameters = [new("user", "Of this user; absent = of all together")], Answers = AdminJson.Default.HistoryAnswer,
            Errors = NotFound,
        },
    ];

    private UserControl Users => host.Control.ManagedUsers;

    private async Task<Answer> ReplaceAsync(HttpContext context)
    {
        if (Revision(context, out var revision) is { } wrong) return wrong;
        var (body, problem) = await Input.BodyAsync(context, RequestJson.Default.UserSetRequest).ConfigureAwait(false);
        if (problem is not null) return problem;
        if (body?.Users is not { } users)
            return Answer.Problem(StatusCodes.Status400BadRequest, "the body must be { \"users\": [ … ] }", "users");
        return await AnswerAsync(context, await Users.ReplaceAsync(users, revision).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task<Answer> AddAsync(HttpContext context)
    {
        if (Revision(context, out var revision) is { } wrong) return wrong;
        var (user, problem) = await Input.BodyAsync(context, RequestJson.Default.UserOptions).ConfigureAwait(false);
        if (problem is not null) return problem;
        if (user is null)
            return Answer.Problem(StatusCodes.Status400BadRequest, "the body must be a user: { \"name\": \"alice\" }", "name");
        var change = await Users.AddAsync(user, revision).ConfigureAwait(false);
        return await AnswerAsync(context, change, user.Name, StatusCodes.Status201Created).ConfigureAwait(false);
    }

    private async Task<Answer> MergeAsync(HttpContext context)
    {
        if (Revision(context, out var revision) is { } wrong) return wrong;
        var (body, problem) = await Input.ObjectAsync(context).ConfigureAwait(false);
        if (problem is not null) return problem;
        if (body!["users"] is not JsonArray users || body.Count > 1)
            return Answer.Problem(StatusCodes.Status400BadRequest, "the body must be { \"users\": [ … ] }", "users");
        if (users.Count > MostMerged)
            return Answer.Problem(StatusCodes.Status400BadRequest, $"has more than {MostMerged} users; give them in parts", "users");
        var edits = new List<(string, Func<UserOptions, UserOptions>)>();
        for (var i = 0; i < users.Count; i++)
        {
            var key = $"users[{i}]";
            if (users[i] is not JsonObject patch || TextOf(patch["name"]) is not { } name)
                return Answer.Problem(StatusCodes.Status400BadRequest, "must be a user with a name", key);
            edits.Add((name, user => Merge(user, patch, $"$.{key}")));
        }

        try
        {
            return await AnswerAsync(context, await Users.MergeAsync(edits, revision).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (JsonException error)
        {
            return Input.Misshapen(error);
        }
    }

    private async Task<Answer> PatchAsync(HttpContext context)
    {
        if (Revision(context, out var revision) is { } wrong) return wrong;
        var (patch, problem) = await Input.ObjectAsync(context).ConfigureAwait(false);
        if (problem is not null) return problem;
        var name = Input.Path(context, "name");
        try
        {
            var change = await Users.EditAsync(name, user => Merge(user, patch!), revision).ConfigureAwait(false);
            return await AnswerAsync(context, change, TextOf(patch!["name"]) ?? name).ConfigureAwait(false);
        }
        catch (JsonException error)
        {
            return Input.Misshapen(error);
        }
    }

    private async Task<Answer> RemoveAsync(HttpContext context)
    {
        if (Revision(context, out var revision) is { } wrong) return wrong;
        var change = await Users.RemoveAsync(Input.Path(context, "name"), revision).ConfigureAwait(false);
        return await AnswerAsync(context, change).ConfigureAwait(false);
    }

    private async Task<Answer> RotateAsync(HttpContext context)
    {
        if (Revision(context, out var revision) is { } wrong) return wrong;
        var (body, problem) = await Input.BodyAsync(context, RequestJson.Default.RotateRequest).ConfigureAwait(false);
        if (problem is not null) return problem;
        var grace = body?.GraceSeconds ?? 0;
        if (grace is < 0 or > MostGrace)
            return Answer.Problem(StatusCodes.Status400BadRequest, $"graceSeconds must be a number from 0 to {MostGrace}", "graceSeconds");
        var name = Input.Path(context, "name");
        var change = await Users.RotateAsync(name, TimeSpan.FromSeconds(grace), revision).ConfigureAwait(false);
        return await AnswerAsync(context, change, name).ConfigureAwait(false);
    }

    private async Task<Answer> ShowAsync(HttpContext context) => await DetailsAsync(Input.Path(context, "name")).ConfigureAwait(false);

    private async Task<Answer> ResetAsync(HttpContext context)
    {
        var name = Input.Path(context, "name");
        switch (await Users.ResetUsageAsync(name).ConfigureAwait(false))
        {
            case UserOutcome.Unknown:
                return Unknown();
            case UserOutcome.Stopping:
                return Stopping();
        }

        audit.Changed(context, $"usage of user {name}", "counted", "0");
        return await DetailsAsync(name).ConfigureAwait(false);
    }

    private async Task<Answer> DisconnectAsync(HttpContext context)
    {
        var name = Input.Path(context, "name");
        if (await Users.DisconnectAsync(name).ConfigureAwait(false) is not { } ended)
            return Unknown();
        audit.Changed(context, $"sessions of user {name}", "open", $"{ended} ended");
        return Answer.Json(new UserDisconnect(ended), AdminJson.Default.UserDisconnect);
    }

    private Task<Answer> ExportAsync(HttpContext context)
    {
        audit.Changed(context, "secrets of managed users", "kept", "read");
        var (users, revision) = Users.Export();
        context.Response.Headers.ETag = TagOf(revision);
        return Task.FromResult(Answer.Json(new UserExport(users, revision), AdminJson.Default.UserExport));
    }

    private Task<Answer> UsageAsync(HttpContext context)
    {
        var since = 0L;
        if (Input.Query(context, "since") is { } text
            && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out since))
        {
            return Task.FromResult(
                Answer.Problem(StatusCodes.Status400BadRequest, "since must be revision of the answer before", "since"));
        }

        return Task.FromResult(Answer.Json(Users.Usage(since), AdminJson.Default.UsageReport));
    }

    private async Task<Answer> HistoryAsync(HttpContext context)
    {
        try
        {
            if (await Users.HistoryAsync(Input.Query(context, "user")).ConfigureAwait(false) is not { } history)
                return Unknown();
            return Answer.Json(
                new HistoryAnswer([.. history.Hours.Select(EntryOf)], [.. history.Days.Select(EntryOf)]), AdminJson.Default.HistoryAnswer);
        }
        catch (StoreException problem)
        {
            return Answer.Problem(StatusCodes.Status503ServiceUnavailable, problem.Message);
        }
    }

    private async Task<Answer> DetailsAsync(string name)
    {
        var details = await DetailsOf(name).ConfigureAwait(false);
        return details.IsEmpty ? Unknown() : Answer.Json(new UserDetailList(details), AdminJson.Default.UserDetailList);
    }

    private async Task<ImmutableArray<UserDetailAnswer>> DetailsOf(string name)
    {
        var links = host.Links?.Invoke(name) ?? [];
        return
        [
            .. (await Users.DetailsAsync(name).ConfigureAwait(false)).Select(user => new UserDetailAnswer(
                user.Status, user.Note, user.Domain, user.AdTag, user.IsEnabled, user.PreviousUntil, user.PreviousUntil is not null,
                user.Sessions,
                [.. links.Where(link => user.Status.Listener.Length == 0 || link.Listener == user.Status.Listener)])),
        ];
    }

    private async Task<Answer> AnswerAsync(
        HttpContext context, UserChange change, string? user = null, int status = StatusCodes.Status200OK)
    {
        context.Response.Headers.ETag = TagOf(change.Revision);
        switch (change.Outcome)
        {
            case UserOutcome.Refused:
                return Answer.Problem(
                    StatusCodes.Status422UnprocessableEntity, change.Errors[0].ToString(), change.Errors[0].Key,
                    [.. change.Errors.Select(error => new ReloadProblem(error.Key, error.Problem))]);
            case UserOutcome.OtherRevision:
                return Answer.Problem(
                    StatusCodes.Status412PreconditionFailed, $"the set has revision {change.Revision} now; read it again", "If-Match");
            case UserOutcome.Unknown:
                return Unknown();
            case UserOutcome.InFile:
                return Answer.Problem(
                    StatusCodes.Status409Conflict, "the user stands in the configuration file: change it there, and reload", "name");
            case UserOutcome.Stopping:
                return Stopping();
        }

        Tell(context, change);
        return Answer.Json(
            new UserChangeAnswer(
                change.Outcome == UserOutcome.Applied ? "applied" : "unchanged", change.Revision, change.Added, change.Changed,
                change.Removed, change.NotKept, user is null ? null : await DetailsOf(user).ConfigureAwait(false)),
            AdminJson.Default.UserChangeAnswer, status);
    }

    private void Tell(HttpContext context, UserChange change)
    {
        if (change.Outcome != UserOutcome.Applied) return;
        var words = new[] { Words("added", change.Added), Words("changed", change.Changed), Words("removed", change.Removed) };
        audit.Changed(context, "managed users", $"revision {change.Revision - 1}", string.Join(", ", words.Where(it => it.Length > 0)));

        static string Words(string what, ImmutableArray<string> names)
        {
            const int Shown = 5;
            if (names.IsEmpty) return "";
            return $"{names.Length} {what} ({string.Join(", ", names.Take(Shown))}{(names.Length > Shown ? ", …" : "")})";
        }
    }

    private static string TagOf(long revision) => string.Create(CultureInfo.InvariantCulture, $"\"{revision}\"");

    private static Answer Stopping() => Answer.Problem(StatusCodes.Status503ServiceUnavailable, "the proxy is stopping");

    private static Answer Unknown() => Answer.Problem(StatusCodes.Status404NotFound, "there is no user of that name", "name");

    // What is missing stays, null clears: the default takes its place.
    private static UserOptions Merge(UserOptions user, JsonObject patch, string path = "$")
    {
        var merged = JsonSerializer.SerializeToNode(user, RequestJson.Default.UserOptions)!.AsObject();
        Merge(merged, patch);
        try
        {
            return merged.Deserialize(RequestJson.Default.UserOptions)!;
        }
        catch (JsonException problem)
        {
            // Its lines are those of a text that nobody has written.
            throw new JsonException(null, path + problem.Path?[1..], null, null);
        }
        catch (InvalidOperationException)
        {
            throw new JsonException(null, path, null, null); // half of a surrogate pair, which is no text
        }
    }

    // Null if it is none.
    private static string? TextOf(JsonNode? node)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null; // half of a surrogate pair
        }
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (key, value) in patch)
        {
            if (value is null) target.Remove(key);
            else if (value is JsonObject inner && target[key] is JsonObject old) Merge(old, inner);
            else target[key] = value.DeepClone();
        }
    }

    private static HistoryEntry EntryOf(HistoryPoint point) => new(point.Start, point.Received, point.Sent);

    // A strong tag, as ETag has it; * and an absent one are any.
    private static Answer? Revision(HttpContext context, out long? revision)
    {
        revision = null;
        if (context.Request.Headers.IfMatch.Count == 0) return null;
        if (context.Request.Headers.IfMatch is not [{ } text]) return WrongTag;
        if (text == "*") return null;
        if (text is ['"', .. var number, '"'] && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var seen))
        {
            revision = seen;
            return null;
        }

        return WrongTag;
    }

    private static Answer WrongTag { get; } =
        Answer.Problem(StatusCodes.Status400BadRequest, "If-Match must be the ETag of an answer before", "If-Match");
}
