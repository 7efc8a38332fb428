using System.CommandLine;
using System.Text;
using Portico.Commands;
using Portico.Configuration;

namespace Portico.Import;

/// <summary><c>portico import-config</c>: a configuration of ours from another proxy's, under which its links go on working.</summary>
internal static class ImportConfigCommand
{
    public static Command Create()
    {
        var from = new Option<string>("--from")
        {
            Description = "Whose file it is: erlang (sys.config), mtproxy (the unit, script or compose file that starts it), "
                + "mtprotoproxy (config.py), mtg or telemt (TOML).",
            HelpName = "PROXY",
            Required = true,
        }.AcceptOnlyFromAmong(ImportSource.Names);
        var to = new Option<string?>("--out")
        {
            Description = "Write it there; a file that exists stays. Without it: stdout.",
            HelpName = "FILE"
        };
        var path = new Argument<string>("FILE") { Description = "The other proxy's file." };
        var command = new Command(
            "import-config", "Write a configuration under which another proxy's links go on working; names what has no counterpart.")
        { path, from, to };
        command.SetAction(parsed =>
        {
            var (name, file) = (parsed.GetRequiredValue(from), parsed.GetRequiredValue(path));
            var result = ImportSource.Convert(name, Read(file));
            var output = parsed.InvocationConfiguration;
            if (result.Text is null) throw ConfigurationReport.Wrong(file, result.Errors);

            var written = parsed.GetValue(to);
            if (written is null) output.Output.Write(result.Text);
            else if (!NewConfiguration.TryWrite(Path.GetFullPath(written), result.Text))
                throw new CommandFailure(ExitCode.BadConfiguration, $"{written} exists, and stays as it is; name another file with --out");
            Tell(output.Error, "no counterpart", result.Left);
            Tell(output.Error, "have a look", result.Remarks);
            output.Error.WriteLine(
                $"`portico link --config {written ?? "FILE"}` prints its links; docs/migrating-from-{name}.md says more");
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Tell(TextWriter output, string heading, IReadOnlyList<ImportNote> notes)
    {
        if (notes.Count == 0) return;
        output.WriteLine($"{heading}:");
        foreach (var note in notes) output.WriteLine($"  {note}");
    }

    private static string Read(string path) => FileFailure.Guard(
        () =>
        {
            using var file = File.OpenRead(path);
            using var content = new MemoryStream();
            var piece = new byte[64 * 1024];
            int count;
            while ((count = file.Read(piece)) > 0)
            {
                content.Write(piece, 0, count);
                if (content.Length > ImportSource.LongestFile)
                    throw new CommandFailure(ExitCode.BadConfiguration,
                        $"{path} is longer than any configuration ({ImportSource.LongestFile >> 20} MiB)");
            }

            return Encoding.UTF8.GetString(content.GetBuffer(), 0, (int)content.Length).TrimStart('\ufeff');
        },
        "read", path, "name a file that this user may read");
}
