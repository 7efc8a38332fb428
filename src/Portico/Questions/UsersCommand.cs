using System.CommandLine;
using System.Text.Json;
using Portico.Commands;
using Portico.Core.Control;

namespace Portico.Questions;

/// <summary><c>portico users</c>: each user with its connections, traffic and when it was last seen.</summary>
internal static class UsersCommand
{
    public static Command Create(CommonOptions common)
    {
        var admin = new AdminOptions(common);
        var command = new Command("users", "Show the users of the running proxy.");
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            var (users, _) = await client.GetAllAsync(
                "/api/users", int.MaxValue, AnswersJson.Default.UserPage, page => (page.Users, page.Next), cancel);
            var output = parsed.InvocationConfiguration.Output;
            if (admin.WantsJson(parsed))
                output.WriteLine(JsonSerializer.Serialize(new UserList(users), AnswersJson.Default.UserList));
            else Write(output, users, TimeProvider.System.GetUtcNow());
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, List<UserStatus> users, DateTimeOffset now) => Tables.Write(
        output, ["user", "listener", ">connections", ">networks", ">received", ">sent", "last seen"],
        users.Select(it => (string[])
        [
            it.Name, it.Listener, Tables.Number(it.Connections), Tables.Number(it.Networks), Tables.Bytes(it.ReceivedBytes),
            Tables.Bytes(it.SentBytes), LastSeen(it, now),
        ]));

    private static string LastSeen(UserStatus user, DateTimeOffset now) =>
        user.Connections > 0 ? "now" : user.LastSeen is { } seen ? Tables.Ago(seen, now) : "not since the start";
}
