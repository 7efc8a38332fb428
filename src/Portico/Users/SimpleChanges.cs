using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Portico.Commands;
using Portico.Questions;

namespace Portico.Users;

/// <summary>The commands that change one thing of one user.</summary>
internal static class SimpleChanges
{
    public static Command Disable(AdminOptions admin) =>
        Change(admin, "disable", "Switch a user off: its sessions end, the entry stays.", Switch(isOn: false));

    public static Command Enable(AdminOptions admin) => Change(admin, "enable", "Switch a user on again.", Switch(isOn: true));

    public static Command Remove(AdminOptions admin) => Change(
        admin, "remove", "Take a user away for good, with what was counted of it.",
        (client, name, cancel) => UserAnswers.ChangeAsync(client, HttpMethod.Delete, UserAnswers.PathOf(name), body: null, cancel));

    public static Command Rotate(AdminOptions admin)
    {
        var name = UserAnswers.Name();
        var grace = new Option<int>("--grace")
        {
            Description = "For so many seconds the old links work too. Without it: not at all.",
            HelpName = "SECONDS",
        };
        var qr = CommonOptions.Qr("auto");
        var command = new Command("rotate", "Give a user a fresh secret and print its new links.") { name, grace, qr };
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            var changed = await UserAnswers.ChangeAsync(
                client, HttpMethod.Post, UserAnswers.PathOf(parsed.GetRequiredValue(name), "/rotate"),
                new JsonObject { ["graceSeconds"] = parsed.GetValue(grace) }, cancel);
            UserAnswers.ShowLinks(parsed, admin, changed, qr);
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command ResetUsage(AdminOptions admin) => Ask(
        admin, "reset-usage", "Count a user's quota from 0 again.", "/reset-usage",
        (client, text) => client.Read(text, UserJson.Default.UsersShown).Users is [{ Status.Quota: { } quota }, ..]
            ? ShowUser.WordsOf(quota)
            : "usage is 0 from now on");

    public static Command Disconnect(AdminOptions admin) => Ask(
        admin, "disconnect", "End all sessions of a user, who may come again.", "/disconnect",
        (client, text) => $"{client.Read(text, UserJson.Default.SessionsEnded).Ended} sessions ended");

    private static Func<AdminClient, string, CancellationToken, Task<UserChanged>> Switch(bool isOn) => (client, name, cancel) =>
        UserAnswers.ChangeAsync(client, HttpMethod.Patch, UserAnswers.PathOf(name), new JsonObject { ["enabled"] = isOn }, cancel);

    private static Command Change(
        AdminOptions admin, string word, string description, Func<AdminClient, string, CancellationToken, Task<UserChanged>> change)
    {
        var name = UserAnswers.Name();
        var command = new Command(word, description) { name };
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            var changed = await change(client, parsed.GetRequiredValue(name), cancel);
            UserAnswers.ShowOutcome(parsed, admin, changed);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Ask(
        AdminOptions admin, string word, string description, string behind, Func<AdminClient, string, string> words)
    {
        var name = UserAnswers.Name();
        var command = new Command(word, description) { name };
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            var (status, text) = await client.AskAsync(
                HttpMethod.Post, UserAnswers.PathOf(parsed.GetRequiredValue(name), behind), cancel);
            if (status != HttpStatusCode.OK) throw UserAnswers.Refused(client, status, text);
            parsed.InvocationConfiguration.Output.WriteLine(admin.WantsJson(parsed) ? text : words(client, text));
            return ExitCode.Ok;
        });
        return command;
    }
}
