using System.CommandLine;
using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Admin;
using Portico.Admin.Metrics;
using Portico.Alerts;
using Portico.Configuration;
using Portico.Core;
using Portico.Core.Background;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Hosting;
using Portico.Life;
using Portico.Links;
using Portico.Reload;
using Portico.Storage;
using Portico.Web;

namespace Portico.Commands;

/// <summary><c>portico run</c>: the proxy, until somebody stops it.</summary>
internal sealed partial class RunCommand(CommonOptions common, QuickFlags flags)
{
    private static readonly TimeSpan PatienceForLinks = TimeSpan.FromSeconds(1), PatienceForPredecessor = TimeSpan.FromSeconds(10),
        PatienceForDoors = TimeSpan.FromSeconds(30), PatienceForWeb = TimeSpan.FromSeconds(1);

    /// <summary>There was no configuration.</summary>
    /// <param name="Path">Where one is to be written.</param>
    /// <param name="Text">What it says; null = nothing is written down.</param>
    private sealed record FirstStart(string Path, string? Text);

    /// <summary>As a command of its own.</summary>
    public Command Create()
    {
        var command = new Command("run", "Run the proxy until SIGTERM or SIGINT. This is also what `portico` alone does.");
        AddTo(command);
        return command;
    }

    /// <summary>As the action of <paramref name="command"/>, with the flags that belong to it.</summary>
    public void AddTo(Command command)
    {
        flags.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(parsed));
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        using var services = new HostServices(common.LevelOf(parsed), parsed.GetValue(common.LogFormat)!);
        var log = services.Loggers.CreateLogger<RunCommand>();
        using var signals = new StopSignals(services.Loggers.CreateLogger<StopSignals>());
        using var predecessor = HandOverLink.FromEnvironment();
        using var passedOn = InheritedSockets.FromServiceManager();
        await using var reports = new ServiceReports(ServiceManager.OfThisProcess(isSuccessor: predecessor is not null), log);
        var commandLine = OwnCommandLine.Read();
        var overrides = Override.FromEnvironment().Concat(flags.Overrides(parsed)).ToArray();
        if (flags.ShowsSecret(parsed)) Log.SecretVisible(log);

        // 1. The configuration: the operator's, or the one that this first start makes.
        var file = ConfigurationFile.Find(parsed.GetValue(common.Config), isForRun: true);
        var watch = new FileWatch(file.Path, TimeProvider.System);
        watch.Begin(); // before it is read: what changes from here on is noticed
        var (loaded, first) = Load(file, parsed, overrides, log);
        foreach (var warning in loaded.Warnings) Log.Unwise(log, warning.Key, warning.Problem);
        var settings = ConfigurationReport.SettingsOf(loaded) with { HasNewSecret = first is { Text: not null } };

        // 2. Listen: what takes time first, since nobody listens while a predecessor hands over.
        var descriptors = ProcessLimits.RaiseDescriptorLimit();
        Log.Descriptors(log, descriptors);
        var ports = ProcessLimits.LocalPorts();
        Log.LocalPorts(log, ports);
        using var metrics = MetricsExport.Begin(settings); // before anything is counted
        var (started, sites) = await StartAsync(settings, services, predecessor, passedOn);
        await using var proxy = started;
        await using var web = sites;
        if (first is not null)
        {
            WriteDown(first, log);
            watch.Begin();
        }

        for (var i = 0; i < proxy.Endpoints.Length; i++)
        {
            if (settings.Listeners[i].Protocols != ClientProtocols.None)
                Log.Listening(log, proxy.Endpoints[i], settings.Listeners[i].Name);
        }

        if (settings.Cover.Mode == CoverMode.Off && settings.Listeners.Any(it => it.Protocols != ClientProtocols.None))
            Log.NoCover(log);

        // 3. Tell how to connect.
        var qr = CommonOptions.WantsQr(parsed, flags.Qr, Terminal.OfOutput()) ? QrPlace.FirstOfListener : QrPlace.None;
        var output = parsed.InvocationConfiguration.Output;
        // Not at every start into what is kept of stdout: links are secrets.
        var areShown = first is not null || !Console.IsOutputRedirected;
        TellLinks(settings, proxy, output, areShown, qr, log);
        using var asking = new CancellationTokenSource();
        var publicLinks = areShown
            ? new PublicLinks(settings, proxy.Endpoints, log).TellAsync(found => Print(output, found, areShown, qr, log), asking.Token)
            : Task.CompletedTask;

        // 4. Until the end, with whatever the file says by then.
        using var heap = new RestingHeap(TimeProvider.System);
        using var upgrade = new Upgrade(proxy, commandLine, log);
        signals.Upgrade = () => _ = UpgradeAsync(upgrade);
        var reload = first is { Text: null } ? null : new ConfigurationReload(file, overrides, loaded.Options, proxy, reports, log);
        var watching = reload is null ? Task.CompletedTask : WatchAsync(watch, reload, signals, asking.Token);
        if (predecessor is not null)
            await Task.WhenAny(predecessor.DoorsFree, signals.First, Task.Delay(PatienceForDoors));
        await using var admin = await Administration.StartAsync(
            proxy, () => reload?.Running ?? loaded.Options, reload, upgrade, file, metrics, services);
        await using var alerts = AlertWatch.Start(
            proxy, Environment.MachineName, Administration.Version, services.Loggers, TimeProvider.System);
        await reports.ReadyAsync(proxy, areSocketsKept: AreAll(passedOn, proxy));
        ProcessLimits.ReleaseStartCode();
        await Task.WhenAny(signals.First, upgrade.HandedOver, proxy.Completion);
        ThrowIfFaulted(proxy);

        // 5. The end: a successor serves already, or nobody does for a while.
        signals.HangUp = signals.Upgrade = null;
        var lastAlerts = alerts.StopAsync();
        var draining = DrainAsync(proxy, signals, reports.KeepsSockets, log); // from here on it is not ready
        using var hurry = new CancellationTokenSource();
        // A successor has visitors and apps come to it; otherwise sessions have what they need for their end until they have ended.
        if (upgrade.HandedOver.IsCompleted)
        {
            _ = web.StopAsync(hurry.Token); // awaited below
            await GiveWayAsync(upgrade, admin, reports);
        }
        else
        {
            reports.Stopping(proxy.Settings.Timeouts.Drain);
        }

        await asking.CancelAsync();
        await Task.WhenAny(Task.WhenAll(publicLinks, watching), draining);
        await draining;
        hurry.CancelAfter(PatienceForWeb); // its sessions are over
        await web.StopAsync(hurry.Token);
        await lastAlerts;
        // One that was under way when the stop came, and could not be stopped.
        if (upgrade.HandedOver.IsCompleted) await GiveWayAsync(upgrade, admin, reports);
        return ExitCode.Ok;
    }

    // The manager that has passed them on keeps them, then; one that has others too is to be told which.
    private static bool AreAll(InheritedSockets? passedOn, PorticoProxy proxy) =>
        passedOn is { HasLeft: false }
        && passedOn.Taken == proxy.Settings.Listeners.Count(listener => listener.Protocols != ClientProtocols.None);

    // The administration has one place, so the successor's opens when ours is closed.
    private static async Task GiveWayAsync(Upgrade upgrade, AdminServer? admin, ServiceReports reports)
    {
        reports.HandedOver(await upgrade.HandedOver);
        if (admin is not null) await admin.DisposeAsync();
        upgrade.DoorsFree();
    }

    // It has logged what went wrong.
    private static async Task UpgradeAsync(Upgrade upgrade) =>
        await ((Task)upgrade.RunAsync("SIGUSR2")).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static Task WatchAsync(FileWatch watch, ConfigurationReload reload, StopSignals signals, CancellationToken stop)
    {
        signals.HangUp = () =>
        {
            watch.Begin(); // what is read now is no news afterwards
            _ = reload.RunAsync("SIGHUP");
        };
        return watch.RunAsync(() => reload.RunAsync("the file changed"), stop);
    }

    private static void TellLinks(ProxySettings settings, PorticoProxy proxy, TextWriter output, bool areShown, QrPlace qr, ILogger log)
    {
        ShareLink[] links =
            [.. settings.Listeners.SelectMany((listener, i) => ShareLink.Of(listener, proxy.Endpoints[i].Port, settings.PerSni))];
        foreach (var host in links.Select(link => link.Host).Distinct())
        {
            if (IPAddress.TryParse(host, out var address) && AddressReach.Of(address) != Reach.World)
                Log.LinksStayNear(log, host);
        }

        Print(output, links, areShown, qr, log);
    }

    // On a thread of its own: a reader that does not read must hold up neither the proxy nor its end.
    private static void Print(TextWriter output, ShareLink[] links, bool areShown, QrPlace qr, ILogger log)
    {
        var printer = new Thread(() => PrintLinks(output, links, areShown, qr, log)) { IsBackground = true, Name = "links" };
        printer.Start();
        printer.Join(PatienceForLinks);
    }

    private static void PrintLinks(TextWriter output, ShareLink[] links, bool areShown, QrPlace qr, ILogger log)
    {
        try
        {
            if (areShown)
                LinkPrinter.Print(output, links, qr, Terminal.OfOutput() ?? Terminal.None);
            else
                LinkPrinter.PrintCounts(output, links);
        }
        catch (CommandFailure problem)
        {
            Log.LinksNotPrinted(log, problem.Message);
        }
    }

    // What a first start decides is written down when it listens, so that one that cannot leaves nothing behind.
    private (LoadedConfiguration Loaded, FirstStart? First) Load(
        ConfigurationFile file, ParseResult parsed, Override[] overrides, ILogger log)
    {
        if (file.Exists)
        {
            var loaded = ConfigurationReport.Check(LoadedConfiguration.Load(file.Read(), file.Directory, overrides), file.Path);
            if (file.Warning() is { } readable) Log.Unwise(log, readable.Key, readable.Problem);
            var given = string.Join(", ", flags.Given(parsed));
            if (given.Length > 0) Log.OnlyThisRun(log, given, file.Path);
            if (flags.NamesDomain(parsed)) Log.DomainIsNoCover(log, file.Path);
            return (loaded, null);
        }

        if (file.IsNamed && !flags.MayInitialise(parsed)) throw ConfigurationReport.Missing(file);
        var bringsSecret = QuickFlags.BringsSecret(overrides);
        var text = flags.NewConfiguration(parsed, withSecret: !bringsSecret).ToText();
        var fresh = ConfigurationReport.Check(LoadedConfiguration.Load(text, file.Directory, overrides), "command line and environment");
        return (fresh, new FirstStart(file.Path, bringsSecret ? null : text));
    }

    private static void WriteDown(FirstStart first, ILogger log)
    {
        if (first.Text is null) Log.NothingWritten(log);
        else if (NewConfiguration.TryWrite(first.Path, first.Text)) Log.Written(log, first.Path);
        else throw new CommandFailure(ExitCode.Failed, $"{first.Path} was written by something else meanwhile; start again to use it");
    }

    private static async Task<(PorticoProxy Proxy, WebHosts Sites)> StartAsync(
        ProxySettings settings, HostServices services, HandOverLink? predecessor, InheritedSockets? passedOn)
    {
        if (passedOn is not null && settings.Engine == EngineKind.Sockets)
        {
            throw new CommandFailure(
                ExitCode.BadConfiguration, "engine: sockets cannot take the listening sockets that a service manager passes on; use auto");
        }

        try
        {
            using var ofPredecessor = predecessor?.TakeOver(settings.DataDirectory, PatienceForPredecessor);
            var sockets = ofPredecessor ?? passedOn;
            var users = new UserDatabase(settings.DataDirectory, settings.TimeZone, TimeProvider.System);
            var proxy = PorticoProxy.Start(settings, services.Loggers, services.Meters, TimeProvider.System, sockets, users);
            if (users.Remark is { } remark)
                Log.UsersRemark(services.Loggers.CreateLogger<RunCommand>(), remark);
            var left = string.Join(", ", sockets?.Left ?? []);
            sockets?.Dispose(); // or clients would wait there for nobody
            if (left.Length > 0) Log.SocketsLeft(services.Loggers.CreateLogger<RunCommand>(), left);
            // If either fails the process ends as it is: an orderly stop would take the clients in that wait for the old one.
            var sites = await WebHosts.StartAsync(proxy, services.Loggers, TimeProvider.System, isSuccessor: predecessor is not null);
            if (predecessor is not null) await proxy.FollowAsync(predecessor);
            return (proxy, sites);
        }
        catch (Exception problem)
            when (problem is ListenException or WebHostException or DataDirectoryInUseException or HandOverException)
        {
            throw new CommandFailure(ExitCode.Failed, problem.Message);
        }
        catch (DataDirectoryVersionException problem)
        {
            throw new CommandFailure(ExitCode.BadConfiguration, problem.Message);
        }
    }

    private static async Task DrainAsync(PorticoProxy proxy, StopSignals signals, bool listensOn, ILogger log)
    {
        var drain = proxy.Settings.Timeouts.Drain;
        Log.Draining(log, proxy.SessionCount, drain.TotalSeconds);
        var stopped = proxy.StopAsync(drain, listensOn);
        await Task.WhenAny(stopped, signals.Second, proxy.Completion);
        ThrowIfFaulted(proxy);

        if (signals.Second.IsCompleted) Log.StoppingAtOnce(log);
        await (signals.Second.IsCompleted ? proxy.StopAsync(TimeSpan.Zero) : stopped);
        Log.Stopped(log);
    }

    // A loop that died takes its sessions with it; limping on would hide that, a service manager's restart does not.
    private static void ThrowIfFaulted(PorticoProxy proxy)
    {
        if (proxy.Completion.Exception is { } fault)
            throw new CommandFailure(
                ExitCode.Failed, $"the proxy cannot go on, please report this: {fault.InnerException?.Message ?? fault.Message}");
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 9001, EventName = "Written", Level = LogLevel.Information,
            Message = "First start: wrote {Path} with a fresh secret")]
        public static partial void Written(ILogger logger, string path);

        [LoggerMessage(EventId = 9002, EventName = "NothingWritten", Level = LogLevel.Information,
            Message = "No configuration file; running with the secret that was given, which is not written down")]
        public static partial void NothingWritten(ILogger logger);

        [LoggerMessage(EventId = 9003, EventName = "SecretVisible", Level = LogLevel.Warning,
            Message = "--secret shows the secret to the other users of this machine; --secret-file or the environment do not")]
        public static partial void SecretVisible(ILogger logger);

        [LoggerMessage(EventId = 9004, EventName = "Unwise", Level = LogLevel.Warning, Message = "Configuration: {Key}: {Problem}")]
        public static partial void Unwise(ILogger logger, string key, string problem);

        [LoggerMessage(EventId = 9015, EventName = "LocalPorts", Level = LogLevel.Debug,
            Message = "{Ports} local ports: so many direct clients for each address of a data centre (0 = unknown)")]
        public static partial void LocalPorts(ILogger logger, int ports);

        [LoggerMessage(EventId = 9005, EventName = "Descriptors", Level = LogLevel.Debug,
            Message = "Up to {Limit} descriptors, two per session (0 = no limit)")]
        public static partial void Descriptors(ILogger logger, long limit);

        [LoggerMessage(EventId = 9006, EventName = "Listening", Level = LogLevel.Information,
            Message = "Listening on {Endpoint} ({Listener})")]
        public static partial void Listening(ILogger logger, IPEndPoint endpoint, string listener);

        [LoggerMessage(EventId = 9007, EventName = "NoCover", Level = LogLevel.Warning,
            Message = "No cover: a prober sees a closed connection (after a TLS alert if "
                + "its hello is malformed or names no site) where a web site should be; "
                + "name one with cover.mode \"fixed\" and cover.target, for example \"www.example.com:443\"")]
        public static partial void NoCover(ILogger logger);

        [LoggerMessage(EventId = 9008, EventName = "LinksStayNear", Level = LogLevel.Warning,
            Message = "Links show {Host}, which cannot be reached from everywhere; "
                + "set publicHost of the listener if clients are elsewhere")]
        public static partial void LinksStayNear(ILogger logger, string host);

        [LoggerMessage(EventId = 9009, EventName = "Draining", Level = LogLevel.Information,
            Message = "Stopping: {Sessions} sessions have up to {Seconds} s to end; a second signal stops at once")]
        public static partial void Draining(ILogger logger, int sessions, double seconds);

        [LoggerMessage(EventId = 9010, EventName = "StoppingAtOnce", Level = LogLevel.Information,
            Message = "Second signal: stopping at once")]
        public static partial void StoppingAtOnce(ILogger logger);

        [LoggerMessage(EventId = 9014, EventName = "OnlyThisRun", Level = LogLevel.Information,
            Message = "For this run only: {Flags}; {Path} stays as it is")]
        public static partial void OnlyThisRun(ILogger logger, string flags, string path);

        [LoggerMessage(EventId = 9021, EventName = "DomainIsNoCover", Level = LogLevel.Warning,
            Message = "--domain changes the links of this run and sets no cover; "
                + "to change both, set listeners[0].domain and cover.target in {Path}")]
        public static partial void DomainIsNoCover(ILogger logger, string path);

        [LoggerMessage(EventId = 9013, EventName = "LinksNotPrinted", Level = LogLevel.Warning,
            Message = "The links could not be printed ({Problem}); `portico link` prints them")]
        public static partial void LinksNotPrinted(ILogger logger, string problem);

        [LoggerMessage(EventId = 9025, EventName = "UsersRemark", Level = LogLevel.Warning, Message = "Managed users: {Remark}")]
        public static partial void UsersRemark(ILogger logger, string remark);

        [LoggerMessage(EventId = 9024, EventName = "SocketsLeft", Level = LogLevel.Warning,
            Message = "Passed on to this process and closed, since no listener of the configuration names them: {Addresses}")]
        public static partial void SocketsLeft(ILogger logger, string addresses);

        [LoggerMessage(EventId = 9011, EventName = "Stopped", Level = LogLevel.Information, Message = "Stopped")]
        public static partial void Stopped(ILogger logger);
    }
}
