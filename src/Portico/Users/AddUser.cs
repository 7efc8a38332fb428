using System.CommandLine;
using Portico.Commands;
using Portico.Questions;

namespace Portico.Users;

/// <summary><c>portico user add</c>: prints the links of the new user.</summary>
internal static class AddUser
{
    public static Command Create(AdminOptions admin)
    {
        var name = UserAnswers.Name();
        var (flags, qr) = (new UserFlags(), CommonOptions.Qr("auto"));
        var command = new Command("add", "Add a user and print its links.") { name, qr };
        flags.AddTo(command);
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var user = flags.Read(parsed);
            user["name"] = parsed.GetRequiredValue(name);
            using var client = admin.Connect(parsed);
            var changed = await UserAnswers.ChangeAsync(client, HttpMethod.Post, "/api/users", user, cancel);
            UserAnswers.ShowLinks(parsed, admin, changed, qr);
            return ExitCode.Ok;
        });
        return command;
    }
}
