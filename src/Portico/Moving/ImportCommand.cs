using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text;
using Portico.Commands;
using Portico.Configuration;
using Portico.Core;
using Portico.Core.Background;
using Portico.Core.Options;

namespace Portico.Moving;

/// <summary><c>portico import</c>: a proxy goes on here with what <c>portico export</c> wrote elsewhere. All of it, or nothing.</summary>
internal static class ImportCommand
{
    // Ten thousand users take some three.
    private const int MostConfigurationBytes = 16 * 1024 * 1024;

    public static Command Create(CommonOptions common)
    {
        var archive = new Argument<string>("FILE") { Description = "What `portico export` wrote." };
        var passphrase = Passphrase.Option("that it was exported with");
        var command = new Command(
            "import",
            "Go on here with a proxy that was exported elsewhere. Writes its configuration to the place that --config names, or where one "
                + "is looked for, and its state into the data directory; neither may exist yet.")
        { archive, passphrase };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(archive);
            var target = ConfigurationFile.Find(parsed.GetValue(common.Config));
            if (target.Exists) throw Exists(target);
            var phrase = Passphrase.Read(parsed.GetValue(passphrase));
            using var file = FileFailure.Guard(() => File.OpenRead(path), "read", path, "name a file that this user may read");
            try
            {
                using var reader = new ArchiveReader(file, phrase);
                Import(reader, path, target, parsed.InvocationConfiguration);
                return ExitCode.Ok;
            }
            catch (ArchiveException problem)
            {
                throw new CommandFailure(ExitCode.Failed, $"{path} {problem.Message}. Nothing was imported");
            }
        });
        return command;
    }

    private static void Import(ArchiveReader archive, string path, ConfigurationFile target, InvocationConfiguration output)
    {
        // 1. The configuration says where the rest belongs.
        var text = ReadConfiguration(archive);
        var loaded = LoadedConfiguration.Load(TextOf(text), target.Directory, Override.FromEnvironment());
        var settings = ConfigurationReport.SettingsOf(ConfigurationReport.Check(loaded, $"the configuration in {path}"));
        var directory = settings.DataDirectory;

        FileFailure.Guard(
            () =>
            {
                // 2. Everything else, beside what is in force.
                using var arrival = StateArrival.TryBegin(directory, out var problem)
                    ?? throw new CommandFailure(ExitCode.Failed, problem!);
                Receive(archive, arrival);
                if (arrival.Version is not { } version)
                    throw new ArchiveException("holds a data directory without the number of its version");
                if (version > DataDirectoryVersion.Present)
                {
                    throw new ArchiveException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"holds a data directory of version {version}, written by a newer Portico, and this one understands versions up to "
                            + $"{DataDirectoryVersion.Present}; bring this one up to date"));
                }

                // 3. It is whole. The configuration comes last: without it nothing starts with the rest.
                arrival.Place();
                if (!NewFile.TryWrite(target.Path, file => file.Write(text), endsBySignal: true))
                    throw Exists(target);
                arrival.Keep();
                output.Output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{target.Path} is written, and {arrival.Count} files in {directory}"));
                return true;
            },
            "write", $"{directory} or {target.Path}", "run this as the user that will run the proxy");
        foreach (var remark in Remarks(settings, target)) output.Error.WriteLine(remark);
    }

    private static byte[] ReadConfiguration(ArchiveReader archive)
    {
        if (!archive.TryNext(out var name, out _) || name != ArchiveFormat.ConfigurationName)
            throw new ArchiveException("does not begin with a configuration");
        using var content = new MemoryStream();
        archive.CopyTo(content, MostConfigurationBytes);
        return content.ToArray();
    }

    // As a file with that content is read.
    private static string TextOf(byte[] bytes)
    {
        using var reader = new StreamReader(new MemoryStream(bytes), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    // A name is looked up, never followed: what is not a file of ours has no place.
    private static void Receive(ArchiveReader archive, StateArrival arrival)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (archive.TryNext(out var name, out var asOf))
        {
            if (!StateFiles.IsOne(name))
                throw new ArchiveException($"holds {ShownText.Quote(name)}, which this Portico does not know; bring it up to date");
            if (!names.Add(name)) throw new ArchiveException($"holds {name} twice");
            arrival.Receive(name, asOf, file => archive.CopyTo(file));
        }
    }

    private static CommandFailure Exists(ConfigurationFile target) => new(
        ExitCode.BadConfiguration,
        $"there is a configuration already, {target.Path}, and it stays; name another place with --config");

    private static IEnumerable<string> Remarks(ProxySettings settings, ConfigurationFile target)
    {
        var (window, seconds) = (settings.TimeWindow, settings.TimeWindow.PastSeconds.ToString(CultureInfo.InvariantCulture));
        yield return "Stop the old proxy before this one starts: what it lets in later is not known here. "
            + (window.Enabled && settings.Replay.Enabled
                ? $"For {seconds} s, hellos signed before the first start are refused; apps try again by themselves."
                : "Recorded, it opens this one too, as replay or fakeTls.timeWindow is off.");
        var own = settings.Listeners.Where(listener => listener.PublicHost is not { } host || IPAddress.TryParse(host, out _)).ToArray();
        foreach (var listener in own)
        {
            var shown = listener.PublicHost is { } host ? $"show the address {host}" : "show an address of the machine";
            yield return $"Links of listener {listener.Name} {shown}: those that were given out go on working only if it moves along.";
        }

        yield return $"`portico link --config {target.Path}` prints the links; "
            + $"`portico doctor --config {target.Path}` tells what is missing here.";
    }
}
