using System.CommandLine;
using System.Text.Json;
using Portico.Commands;
using Portico.Questions;

namespace Portico.Users;

/// <summary><c>portico user list</c>: managed users with their limits.</summary>
internal static class ListUsers
{
    public static Command Create(AdminOptions admin)
    {
        var group = new Option<string?>("--group") { Description = "Of this group only.", HelpName = "WORD" };
        var command = new Command("list", "List users with their state, quota and limits.") { group };
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            var (all, _) = await client.GetAllAsync(
                "/api/users", int.MaxValue, AnswersJson.Default.UserPage, page => (page.Users, page.Next), cancel);
            var users = all.Where(user => parsed.GetValue(group) is not { } wanted || user.Group == wanted).ToList();
            var output = parsed.InvocationConfiguration.Output;
            if (admin.WantsJson(parsed))
            {
                output.WriteLine(JsonSerializer.Serialize(new UserList(users), AnswersJson.Default.UserList));
                return ExitCode.Ok;
            }

            Tables.Write(
                output, ["user", "from", "state", ">sessions", ">networks", "quota", "ends", "group"],
                users.Select(it => (string[])
                [
                    it.Name, it.Source == "file" ? it.Listener : "managed", ShowUser.StateOf(it), Tables.Number(it.Connections),
                    Tables.Number(it.Networks), it.Quota is { } quota ? ShowUser.WordsOf(quota) : "-",
                    it.ExpiresAt is { } end ? $"{end.UtcDateTime:yyyy-MM-dd}" : "-", it.Group ?? "-",
                ]));
            return ExitCode.Ok;
        });
        return command;
    }
}
