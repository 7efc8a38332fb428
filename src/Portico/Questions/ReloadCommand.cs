using System.CommandLine;
using System.Net;
using Portico.Commands;
using Portico.Core.Control;

namespace Portico.Questions;

/// <summary><c>portico reload</c>: has the running proxy read its configuration again, and says what came of it.</summary>
internal static class ReloadCommand
{
    public static Command Create(CommonOptions common)
    {
        var admin = new AdminOptions(common);
        var command = new Command(
            "reload", "Have the running proxy read its configuration again: all of it, or nothing if there is any error.");
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            var (status, body) = await client.AskAsync(HttpMethod.Post, "/api/reload", cancel);
            var output = parsed.InvocationConfiguration.Output;
            var isRefused = status == HttpStatusCode.UnprocessableEntity;
            if (!isRefused && status != HttpStatusCode.OK) throw client.Refused(status, body);
            if (admin.WantsJson(parsed)) output.WriteLine(body);
            else if (isRefused)
                WriteErrors(parsed.InvocationConfiguration.Error, client.Read(body, AnswersJson.Default.Problem));
            else Write(output, client.Read(body, AnswersJson.Default.ReloadOutcome));
            return isRefused ? ExitCode.BadConfiguration : ExitCode.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, ReloadOutcome outcome)
    {
        output.WriteLine(outcome.Result switch
        {
            "unchanged" => "The configuration says what it said before.",
            "partial" => "In force, but for the keys that wait for a start:",
            _ => "In force:",
        });
        if (!outcome.Changes.IsEmpty)
            Tables.Write(output, ["key", "takes effect"], outcome.Changes.Select(it => (string[])[it.Key, it.TakesEffect]));
        foreach (var warning in outcome.Warnings) output.WriteLine($"warning: {warning.Key} {warning.Problem}");
    }

    private static void WriteErrors(TextWriter errors, Problem problem)
    {
        errors.WriteLine($"portico: {problem.Detail}");
        foreach (var error in problem.Errors ?? []) errors.WriteLine($"  {(error.Key.Length == 0 ? "" : $"{error.Key} ")}{error.Problem}");
    }
}
