using System.CommandLine;
using Portico.Commands;
using Portico.Questions;

namespace Portico.Users;

/// <summary><c>portico user edit</c>: changes what is named and leaves the rest.</summary>
internal static class EditUser
{
    public static Command Create(AdminOptions admin)
    {
        var name = UserAnswers.Name();
        var newName = new Option<string?>("--name") { Description = "Another name.", HelpName = "NAME" };
        var flags = new UserFlags();
        var command = new Command("edit", "Change a user. An empty text, or 0 for a number, takes a limit away.") { name, newName };
        flags.AddTo(command);
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var patch = flags.Read(parsed);
            if (parsed.GetValue(newName) is { } wanted) patch["name"] = wanted;
            if (patch.Count == 0)
                throw new CommandFailure(ExitCode.BadConfiguration, "nothing to change: name at least one option");
            using var client = admin.Connect(parsed);
            var path = UserAnswers.PathOf(parsed.GetRequiredValue(name));
            var changed = await UserAnswers.ChangeAsync(client, HttpMethod.Patch, path, patch, cancel);
            UserAnswers.ShowOutcome(parsed, admin, changed);
            return ExitCode.Ok;
        });
        return command;
    }
}
