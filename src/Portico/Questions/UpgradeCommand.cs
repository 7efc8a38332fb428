using System.CommandLine;
using System.Net;
using Portico.Commands;

namespace Portico.Questions;

/// <summary><c>portico upgrade</c>: the running proxy starts the program anew and hands over to it.</summary>
internal static class UpgradeCommand
{
    public static Command Create(CommonOptions common)
    {
        var admin = new AdminOptions(common);
        var command = new Command(
            "upgrade", "Have the program that is installed by now take over from the running one, without a refused connection.");
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            client.Patience = AdminClient.PatienceForStarts;
            var (status, body) = await client.AskAsync(HttpMethod.Post, "/api/upgrade", cancel);
            if (status != HttpStatusCode.OK) throw client.Refused(status, body);
            var output = parsed.InvocationConfiguration.Output;
            if (admin.WantsJson(parsed)) output.WriteLine(body);
            else output.WriteLine($"Process {client.Read(body, AnswersJson.Default.UpgradeOutcome).Process} has taken over.");
            return ExitCode.Ok;
        });
        return command;
    }
}
