using System.CommandLine;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Portico.Commands;
using Portico.Questions;

namespace Portico.Users;

/// <summary><c>portico user import</c> and <c>export</c>: all managed users from and to a file.</summary>
internal static class UserLists
{
    private static readonly string[] Formats = ["json", "csv"];

    public static Command Import(AdminOptions admin)
    {
        var file = new Argument<string>("file")
        {
            Description = "JSON ({ \"users\": [ … ] }, or the list alone) or CSV with a line of heads; - = standard input.",
        };
        var replace = new Option<bool>("--replace") { Description = "Managed users that are not in the file are removed." };
        var format = Format();
        var command = new Command("import", "Add the users of a file, or change those that are there.") { file, replace, format };
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var path = parsed.GetRequiredValue(file);
            var text = await ReadAsync(path, cancel);
            var isCsv = parsed.GetValue(format) is { } given ? given == "csv" : path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);
            var wanted = isCsv ? UserCsv.Read(text) : ReadJson(text);
            using var client = admin.Connect(parsed);
            var method = parsed.GetValue(replace) ? HttpMethod.Put : HttpMethod.Patch;
            var changed = await UserAnswers.ChangeAsync(client, method, "/api/users", new JsonObject { ["users"] = wanted }, cancel);
            parsed.InvocationConfiguration.Output.WriteLine(admin.WantsJson(parsed)
                ? changed.Text
                : $"{changed.Added.Length} added, {changed.Changed.Length} changed, {changed.Removed.Length} removed");
            UserAnswers.WarnIfNotKept(parsed, changed);
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command Export(AdminOptions admin)
    {
        var format = Format();
        var command = new Command("export", "Print all managed users with their secrets.") { format };
        admin.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using var client = admin.Connect(parsed);
            var users = await ExportAsync(client, cancel);
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(format) == "csv"
                ? UserCsv.Write(users)
                : new JsonObject { ["users"] = users }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Option<string?> Format() =>
        new Option<string?>("--format") { Description = "json or csv. Without it: by the file's name, else json.", HelpName = "FORMAT" }
            .AcceptOnlyFromAmong(Formats);

    private static async Task<JsonArray> ExportAsync(AdminClient client, CancellationToken cancel)
    {
        var (status, text) = await client.AskAsync(HttpMethod.Get, "/api/export/users", cancel);
        if (status != HttpStatusCode.OK) throw client.Refused(status, text);
        var set = client.Read(text, UserJson.Default.UserSet);
        return JsonSerializer.SerializeToNode(set, UserJson.Default.UserSet)!["users"]!.DeepClone().AsArray();
    }

    private static async Task<string> ReadAsync(string path, CancellationToken cancel)
    {
        try
        {
            return path == "-" ? await Console.In.ReadToEndAsync(cancel) : await File.ReadAllTextAsync(path, cancel);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.BadConfiguration, error.Message);
        }
    }

    private static JsonArray ReadJson(string text)
    {
        try
        {
            var node = JsonNode.Parse(text);
            var list = node as JsonArray ?? (node as JsonObject)?["users"] as JsonArray;
            return list?.DeepClone().AsArray()
                ?? throw new CommandFailure(ExitCode.BadConfiguration, "the file must hold { \"users\": [ … ] }");
        }
        catch (JsonException error)
        {
            throw new CommandFailure(
                ExitCode.BadConfiguration, $"the file is no JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}");
        }
    }
}
