using System.CommandLine;
using System.Globalization;
using System.Net;
using Portico.Commands;
using Portico.Core.Control;
using Portico.Questions;

namespace Portico.Users;

/// <summary><c>portico user show</c>: everything of one user, with its links.</summary>
internal static class ShowUser
{
    public static Command Create(AdminOptions admin)
    {
        var (name, qr) = (UserAnswers.Name(), CommonOptions.Qr("auto"));
        var command = new Command("show", "Show a user with its limits, usage, sessions and links.") { name, qr };
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            var (status, text) = await client.AskAsync(HttpMethod.Get, UserAnswers.PathOf(parsed.GetRequiredValue(name)), cancel);
            if (status != HttpStatusCode.OK) throw UserAnswers.Refused(client, status, text);
            var output = parsed.InvocationConfiguration.Output;
            if (admin.WantsJson(parsed))
            {
                output.WriteLine(text);
                return ExitCode.Ok;
            }

            var users = client.Read(text, UserJson.Default.UsersShown).Users;
            foreach (var user in users) Write(output, user);
            UserAnswers.PrintLinks(parsed, users, qr);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, UserShown user)
    {
        var status = user.Status;
        Line("user", status.Name);
        Line("from", status.Source == "file" ? $"the configuration file, listener {status.Listener}" : "managed");
        Line("state", StateOf(status));
        Line("now", $"{status.Connections} sessions from {status.Networks} networks");
        Line("received", Tables.Bytes(status.ReceivedBytes));
        Line("sent", Tables.Bytes(status.SentBytes));
        if (status.Quota is { } quota) Line("quota", WordsOf(quota));
        if (status.DownRate is { } down) Line("rate down", $"{Tables.Bytes(down)} a second");
        if (status.UpRate is { } up) Line("rate up", $"{Tables.Bytes(up)} a second");
        if (status.MaxConnections is { } connections) Line("sessions", $"at most {connections}");
        if (status.MaxNetworks is { } networks) Line("networks", $"at most {networks}");
        if (status.ExpiresAt is { } end)
            Line("ends", end.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        if (user.Domain is { } domain) Line("domain", domain);
        if (user.HasFormerSecret) Line("secret", "the one before works too, for a while");
        if (status.Group is { } group) Line("group", group);
        if (user.Note is { } note) Line("note", note);
        output.WriteLine();

        void Line(string head, string text) => output.WriteLine($"{head,-10} {text}");
    }

    /// <summary>Why a user does not come in, in words.</summary>
    public static string StateOf(UserStatus status) => status.State switch
    {
        "disabled" => "switched off",
        "expired" => "its time is over",
        "quota" => "its bytes are used up",
        _ => "active",
    };

    /// <summary>What is used of a quota.</summary>
    public static string WordsOf(QuotaStatus quota)
    {
        var until = quota.Until is { } day ? $", anew on {day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}" : "";
        var period = quota.Period == "none" ? "" : $" a {quota.Period}";
        return $"{Tables.Bytes(quota.UsedBytes)} of {Tables.Bytes(quota.Bytes)}{period}{until}";
    }
}
