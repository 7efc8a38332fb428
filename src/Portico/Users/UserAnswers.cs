using System.Collections.Immutable;
using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Portico.Commands;
using Portico.Core.Control;
using Portico.Core.Options;
using Portico.Hosting;
using Portico.Links;
using Portico.Questions;

namespace Portico.Users;

/// <summary>What the interface answers about users, and how it is shown.</summary>
internal static class UserAnswers
{
    /// <summary>Asks for a change, and reads what became of it.</summary>
    /// <exception cref="CommandFailure">It was refused (2: what was wanted is wrong), or nobody answers.</exception>
    public static async Task<UserChanged> ChangeAsync(
        AdminClient client, HttpMethod method, string path, JsonNode? body, CancellationToken cancel)
    {
        var (status, text) = await client.AskAsync(method, path, body?.ToJsonString(), cancel);
        if (status is HttpStatusCode.OK or HttpStatusCode.Created)
        {
            var changed = client.Read(text, UserJson.Default.UserChanged);
            return changed with { Text = text };
        }

        throw Refused(client, status, text);
    }

    /// <summary>An answer that is no success.</summary>
    public static CommandFailure Refused(AdminClient client, HttpStatusCode status, string text)
    {
        if (status is not (HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity or HttpStatusCode.NotFound
            or HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed))
        {
            return client.Refused(status, text);
        }

        var problem = client.Read(text, UserJson.Default.Problem);
        var all = problem.Errors is { Length: > 0 } errors
            ? string.Join("\n", errors.Select(error => $"{error.Key}: {error.Problem}"))
            : problem.Detail ?? "refused";
        return new CommandFailure(ExitCode.BadConfiguration, all);
    }

    /// <summary>A user's place in the interface.</summary>
    public static string PathOf(string name, string behind = "") => $"/api/users/{Uri.EscapeDataString(name)}{behind}";

    /// <summary>Says what was not kept, which the operator must know.</summary>
    public static void WarnIfNotKept(ParseResult parsed, UserChanged changed)
    {
        if (changed.NotKept is { } why)
            parsed.InvocationConfiguration.Error.WriteLine($"portico: in force, but not kept for a restart yet: {why}");
    }

    /// <summary>The user that a command is about.</summary>
    public static Argument<string> Name() => new("name") { Description = "Name of the user." };

    /// <summary>Says what became of a change that gives a user new links.</summary>
    public static void ShowLinks(ParseResult parsed, Questions.AdminOptions admin, UserChanged changed, Option<string> qr)
    {
        if (admin.WantsJson(parsed)) parsed.InvocationConfiguration.Output.WriteLine(changed.Text);
        else PrintLinks(parsed, changed.Users ?? [], qr);
        WarnIfNotKept(parsed, changed);
    }

    /// <summary>Says what became of any other change.</summary>
    public static void ShowOutcome(ParseResult parsed, Questions.AdminOptions admin, UserChanged changed)
    {
        parsed.InvocationConfiguration.Output.WriteLine(admin.WantsJson(parsed) ? changed.Text : changed.Outcome);
        WarnIfNotKept(parsed, changed);
    }

    /// <summary>Prints links as <c>portico link</c> does.</summary>
    public static void PrintLinks(ParseResult parsed, IEnumerable<UserShown> users, Option<string> qr)
    {
        var links = users.SelectMany(user => user.Links.Select(link => new ShareLink(
            link.Listener, user.Status.Name, link.Protocol, Host: "", Port: 0, link.Tg, link.TMe))).ToArray();
        var terminal = Terminal.OfOutput();
        var place = CommonOptions.WantsQr(parsed, qr, terminal) ? QrPlace.EveryLink : QrPlace.None;
        LinkPrinter.Print(parsed.InvocationConfiguration.Output, links, place, terminal ?? Terminal.None);
    }
}

/// <summary>What became of a change.</summary>
internal sealed record UserChanged(
    string Outcome, long Revision, ImmutableArray<string> Added, ImmutableArray<string> Changed, ImmutableArray<string> Removed,
    string? NotKept, ImmutableArray<UserShown>? Users)
{
    /// <summary>As it came.</summary>
    [JsonIgnore]
    public string Text { get; init; } = "";
}

/// <summary>One user.</summary>
internal sealed record UserShown(
    UserStatus Status, string? Note, string? Domain, bool HasFormerSecret, ImmutableArray<SessionStatus> Sessions,
    ImmutableArray<LinkShown> Links);

/// <summary>One of a user's links.</summary>
internal sealed record LinkShown(string Listener, string Protocol, string Tg, string TMe)
{
    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{Listener}, {Protocol}";
}

/// <summary>Users of one name.</summary>
internal sealed record UsersShown(ImmutableArray<UserShown> Users);

/// <summary>A set of users with their secrets.</summary>
internal sealed record UserSet(ImmutableArray<UserOptions> Users);

/// <summary>Sessions that were ended.</summary>
internal sealed record SessionsEnded(int Ended);

/// <summary>Metadata of all of these, made at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, GenerationMode = JsonSourceGenerationMode.Metadata,
    WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UserChanged))]
[JsonSerializable(typeof(UsersShown))]
[JsonSerializable(typeof(UserSet))]
[JsonSerializable(typeof(SessionsEnded))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class UserJson : JsonSerializerContext;
