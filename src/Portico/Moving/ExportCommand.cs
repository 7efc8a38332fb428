using System.CommandLine;
using System.Globalization;
using Portico.Commands;
using Portico.Configuration;
using Portico.Core;
using Portico.Core.Background;
using Portico.Core.Users;
using Portico.Questions;
using Portico.Storage;

namespace Portico.Moving;

/// <summary><c>portico export</c>: everything that moves with a proxy, in one file.</summary>
internal static class ExportCommand
{
    public static Command Create(CommonOptions common)
    {
        var to = new Option<string>("--out")
        {
            Description = "Write it there, for this user only; a file that exists stays.",
            HelpName = "FILE",
            Required = true,
        };
        var passphrase = Passphrase.Option("that `portico import` will ask for");
        var command = new Command(
            "export",
            "Put everything that moves with a proxy into one file: configuration, managed users, tables changed at run time, what was "
                + "learned of covers, what was seen of clients.")
        { to, passphrase };
        command.SetAction(parsed =>
        {
            var (loaded, file) = ConfigurationReport.Need(parsed.GetValue(common.Config));
            var path = parsed.GetRequiredValue(to);
            var phrase = Passphrase.Read(parsed.GetValue(passphrase));
            if (Path.Exists(path)) throw Exists(path);
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
                throw new CommandFailure(ExitCode.BadConfiguration, $"--out: there is no directory {folder}; make it, or name another");
            var directory = ConfigurationReport.SettingsOf(loaded).DataDirectory;
            if (DataDirectoryVersion.ProblemOf(directory) is { } newer)
                throw new CommandFailure(ExitCode.Failed, newer);

            var names = FileFailure.Guard(
                () => StateFiles.In(directory), "read", directory, "run this as the user that runs the proxy, or as root");
            var bytes = 0L;
            var isWritten = FileFailure.Guard(
                () => NewFile.TryWrite(
                    Path.GetFullPath(path),
                    archive => bytes = Write(archive, phrase, file.Path, directory, names, Path.GetFullPath(path) + ".users"),
                    endsBySignal: true),
                "write", path, "name a place that this user may write to, with room");
            if (!isWritten) throw Exists(path);

            parsed.InvocationConfiguration.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{path}: {file.Path} and {names.Count} files of {directory}, {Tables.Bytes(bytes)}"));
            foreach (var remark in Remarks(directory, names, phrase is not null))
                parsed.InvocationConfiguration.Error.WriteLine(remark);
            return ExitCode.Ok;
        });
        return command;
    }

    private static CommandFailure Exists(string path) =>
        new(ExitCode.BadConfiguration, $"{path} exists, and stays as it is; name another file with --out");

    private static long Write(
        Stream to, byte[]? passphrase, string configuration, string directory, IReadOnlyList<string> names, string aside)
    {
        using var archive = new ArchiveWriter(to, passphrase);
        var bytes = Add(archive, ArchiveFormat.ConfigurationName, configuration);
        foreach (var name in names)
        {
            bytes += name == StateFiles.UserDatabase
                ? AddUsers(archive, directory, aside)
                : Add(archive, name, Path.Combine(directory, name));
        }

        archive.Finish();
        return bytes;
    }

    // A running proxy writes to it at any moment: what goes into the archive is a copy of one moment, beside it until it is in.
    private static long AddUsers(ArchiveWriter archive, string directory, string aside)
    {
        try
        {
            UserDatabase.Copy(directory, aside);
            return Add(archive, StateFiles.UserDatabase, aside);
        }
        catch (StoreException problem)
        {
            throw new CommandFailure(ExitCode.Failed, problem.Message);
        }
        finally
        {
            File.Delete(aside);
        }
    }

    private static long Add(ArchiveWriter archive, string name, string path)
    {
        try
        {
            // A running proxy goes on with it: replaces it, adds to its end, or removes it.
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return archive.Add(name, File.GetLastWriteTimeUtc(file.SafeFileHandle), file, file.Length);
        }
        catch (FileNotFoundException) when (name != ArchiveFormat.ConfigurationName)
        {
            return 0; // it was the oldest of what was seen
        }
        catch (UnauthorizedAccessException)
        {
            throw new CommandFailure(
                ExitCode.Failed, $"cannot read {path}: permission denied; run this as the user that runs the proxy, or as root");
        }
    }

    private static IEnumerable<string> Remarks(string directory, IReadOnlyList<string> names, bool isProtected)
    {
        if (!isProtected)
            yield return "Whoever can read the file has the proxy's secrets: `--passphrase-file` protects them.";
        var variables = Override.FromEnvironment().Select(wanted => wanted.Origin).ToArray();
        if (variables.Length > 0)
            yield return $"Not in the file, since they are in the environment: {string.Join(", ", variables)}.";
        if (DataDirectoryHolder.Of(directory) is { } holder)
        {
            var process = holder.ProcessId is { } id ? $" (process {id})" : "";
            var written = names.Where(StateFiles.HoldsClients)
                .Select(name => File.GetLastWriteTimeUtc(Path.Combine(directory, name))).DefaultIfEmpty().Max();
            var ago = written == default ? "not yet" : Tables.Ago(written, TimeProvider.System.GetUtcNow());
            yield return $"The proxy is running{process}; what it saw of clients was last written {ago}. "
                + "Clients that come from now on are not in the file: stop it before the new one starts.";
        }
        else if (names.Count == 0)
        {
            yield return $"Nothing was kept in {directory}, or this user may not see it: the file holds the configuration alone.";
        }
    }
}
