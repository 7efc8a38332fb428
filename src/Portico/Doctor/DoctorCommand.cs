using System.CommandLine;
using Portico.Commands;
using Portico.Core.Background;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Telegram;
using Portico.Doctor.Checks;
using Portico.Hosting;
using Portico.Links;

namespace Portico.Doctor;

/// <summary><c>portico doctor</c> on the command line: what keeps clients out, and what to do about it.</summary>
internal static class DoctorCommand
{
    private const string Meaning = "Look at everything that can keep clients out: clock, names, Telegram, cover, ports, limits. "
        + "A line for each finding, with what to do; exit code 1 if one of them is a failure.";

    private const int MostSeconds = 600;

    /// <summary>The command with its options.</summary>
    public static Command Create(CommonOptions common)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object instead of a table." };
        var offline = new Option<bool>("--offline") { Description = "Ask nobody outside this machine; what needs that is skipped." };
        var deadline = new Option<int>("--deadline")
        {
            Description = "Seconds for each connection and each answer, three times as many for each check: more on a slow machine.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => (int)new NetworkAccess(IsOffline: false).Patience.TotalSeconds,
        };
        var command = new Command("doctor", Meaning) { json, offline, deadline };
        command.SetAction(async (parsed, cancel) =>
        {
            var (loaded, file) = ConfigurationReport.Need(parsed.GetValue(common.Config));
            var configuration = new ConfigurationCheck(file.Path, loaded.Warnings, file.Warning());
            var access = new NetworkAccess(parsed.GetValue(offline)) { Patience = PatienceOf(parsed.GetValue(deadline)) };
            var entries = await RunAsync(ConfigurationReport.SettingsOf(loaded), configuration, access, cancel);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) DoctorReport.WriteJson(output, entries);
            else DoctorReport.WriteTable(output, entries, Terminal.OfOutput() ?? Terminal.None);
            return entries.Any(entry => entry.Finding.Verdict == Verdict.Fail) ? ExitCode.Failed : ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The same for a proxy that runs, as JSON.</summary>
    /// <param name="settings">Those in force.</param>
    /// <param name="configuration">What there is to say of its file.</param>
    /// <param name="stop">Whoever asked has left.</param>
    public static async Task<string> ExamineAsync(ProxySettings settings, ConfigurationCheck configuration, CancellationToken stop)
    {
        var entries = await RunAsync(settings, configuration, new NetworkAccess(IsOffline: false), stop);
        using var text = new StringWriter();
        DoctorReport.WriteJson(text, entries);
        return text.ToString();
    }

    // Connection, answer and what is left of them: a run stays below 15 s by default.
    private static Task<IReadOnlyList<Entry>> RunAsync(
        ProxySettings settings, ConfigurationCheck configuration, NetworkAccess access, CancellationToken stop) =>
        DoctorRun.RunAsync(
            [configuration, .. Checks(settings, access, TimeProvider.System)], 3 * access.Patience, TimeProvider.System, stop);

    private static TimeSpan PatienceOf(int seconds) => seconds is >= 1 and <= MostSeconds
        ? TimeSpan.FromSeconds(seconds)
        : throw new CommandFailure(
            ExitCode.BadConfiguration, $"--deadline needs seconds from 1 to {MostSeconds}, for example --deadline 10");

    // In the order of the table: what keeps everybody out first.
    private static ICheck[] Checks(ProxySettings settings, NetworkAccess access, TimeProvider time)
    {
        var files = new MachineFiles();
        var table = new TcpTable(files);
        var door = new PublicDoor(access);
        var own = OwnAddresses.Of(settings, access, time);
        var holder = DataDirectoryHolder.Of(settings.DataDirectory);
        return
        [
            new ClockCheck(settings.TimeWindow, HttpDates.Of(settings, access), time),
            new PortCheck(settings, holder, table),
            new LinksCheck(settings, own, PublicAddress.Find),
            new DnsCheck(settings, own, access),
            new DcCheck(settings, access),
            new MiddleProxyCheck(
                settings, stop => KnownMiddleProxies.AskAsync(settings, url => access.MayAsk(url.Host), time, stop), access),
            new ExternalAddressCheck(settings, own, settings.Middle.IpLookupServices.Any(service => access.MayAsk(service.Host))),
            new AdTagCheck(settings),
            new MediaCheck(settings),
            CoverCheck.Of(settings, own, access, time),
            new CertificateCheck(settings, door, time),
            new SiteCheck(settings, access),
            new DoorCheck(settings, holder, door, table),
            new ProxyHeaderCheck(settings, holder, table),
            new DataDirectoryCheck(settings, holder, DataDirectoryCheck.FreeBytes),
            new DescriptorsCheck(settings, holder, files, ProcessLimits.RaiseDescriptorLimit),
            new MemoryCheck(settings, holder, files),
            new KernelCheck(files),
        ];
    }
}
