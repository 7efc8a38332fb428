using System.CommandLine;
using System.Text.Json;
using Portico.Commands;
using Portico.Core.Control;

namespace Portico.Questions;

/// <summary><c>portico sessions</c>: who is connected now.</summary>
internal static class SessionsCommand
{
    private const int UsualMost = 1000, Most = 1_000_000;

    public static Command Create(CommonOptions common)
    {
        var admin = new AdminOptions(common);
        var limit = new Option<int>("--limit")
        {
            Description = "Show so many at most; with --json all of them unless it is given.",
            HelpName = "N",
            DefaultValueFactory = _ => UsualMost,
        };
        var command = new Command("sessions", "Show the connections of the running proxy.") { limit };
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            // A program is not to take some for all.
            var most = admin.WantsJson(parsed) && parsed.GetResult(limit) is not { Implicit: false } ? Most : parsed.GetValue(limit);
            if (most is < 1 or > Most)
                throw new CommandFailure(ExitCode.BadConfiguration, $"--limit: needs a number from 1 to {Most}");
            using var client = admin.Connect(parsed);
            var (sessions, isAll) = await client.GetAllAsync(
                "/api/sessions", most, AnswersJson.Default.SessionPage, page => (page.Sessions, page.Next), cancel);
            var output = parsed.InvocationConfiguration.Output;
            if (admin.WantsJson(parsed))
            {
                output.WriteLine(JsonSerializer.Serialize(new SessionList(sessions), AnswersJson.Default.SessionList));
                return ExitCode.Ok;
            }

            Write(output, sessions, TimeProvider.System.GetUtcNow());
            if (!isAll) output.WriteLine($"there are more; --limit {Most} shows all of them");
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, List<SessionStatus> sessions, DateTimeOffset now) => Tables.Write(
        output, ["id", "listener", "state", "user", "protocol", ">dc", "address", ">for", ">received", ">sent"],
        sessions.Select(it => (string[])
        [
            it.Id, it.Listener, it.State, it.User ?? "-", it.Protocol ?? "-", it.Dc is { } dc ? Tables.Number(dc) : "-", it.Address ?? "-",
            Tables.Duration(now - it.Since), Tables.Bytes(it.ReceivedBytes), Tables.Bytes(it.SentBytes),
        ]));
}
