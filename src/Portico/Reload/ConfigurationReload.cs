using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Commands;
using Portico.Configuration;
using Portico.Core;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Life;

namespace Portico.Reload;

/// <summary>
/// Reads the configuration again and puts it in force: all of it that needs no start, or nothing. File, environment and flags of the start
/// are put together as they were then. One reload at a time; from any thread.
/// </summary>
/// <param name="file">Where it is.</param>
/// <param name="overrides">Environment and flags of the start.</param>
/// <param name="running">What the start went by.</param>
/// <param name="proxy">What runs.</param>
/// <param name="reports">Hears of it for the service manager.</param>
/// <param name="log">Where the report goes.</param>
internal sealed partial class ConfigurationReload(
    ConfigurationFile file, Override[] overrides, ProxyOptions running, PorticoProxy proxy, ServiceReports reports, ILogger log)
{
    // A report names so many keys or errors; how many more there are it says as a number.
    private const int MostNamed = 20;

    private readonly Lock _gate = new();
    private volatile ProxyOptions _running = running;
    private Task<ReloadReport> _last = Task.FromResult(new ReloadReport(ReloadResult.Unchanged, [], [], []));

    /// <summary>What runs, as it was written.</summary>
    public ProxyOptions Running => _running;

    /// <summary>Reads, checks, compares and applies.</summary>
    /// <param name="cause">Who asked, for the log.</param>
    public Task<ReloadReport> RunAsync(string cause)
    {
        lock (_gate) return _last = RunAfterAsync(_last, cause);
    }

    private async Task<ReloadReport> RunAfterAsync(Task last, string cause)
    {
        await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        ReloadReport report;
        reports.Reloading();
        try
        {
            report = await RunOnceAsync();
        }
        catch (Exception fault)
        {
            // Ours, and the next reload may do better: neither the proxy nor the watch ends with it.
            Log.Faulted(log, fault);
            report = ReloadReport.Refused([new("(proxy)", "an exception ended the reload, of which a part may be in force; restart")]);
        }

        await reports.ReloadedAsync(proxy);
        proxy.CountReload(report.Tag);
        Tell(report, cause);
        return report;
    }

    private async Task<ReloadReport> RunOnceAsync()
    {
        string text;
        try
        {
            text = file.Read();
        }
        catch (CommandFailure problem)
        {
            return ReloadReport.Refused([new("(file)", problem.Message)]);
        }

        var wanted = LoadedConfiguration.Load(text, file.Directory, overrides);
        if (wanted.Settings is null) return ReloadReport.Refused(wanted.Errors);
        var plan = ReloadPlan.Of(_running, wanted.Options);
        if (plan.Changes.IsEmpty)
            return new(ReloadResult.Unchanged, [], [], wanted.Warnings);

        // What is in force must be right by itself: it may mix the new with what waits for a start.
        var effective = ProxyOptionsParser.Parse(plan.Effective, file.Directory);
        if (effective.Settings is not { } settings)
            return ReloadReport.Refused([.. effective.Errors.Select(AsMixture)]);
        var endpoints = proxy.Endpoints;
        try
        {
            await proxy.ReloadAsync(settings with { HasNewSecret = proxy.Settings.HasNewSecret });
        }
        catch (UserConflictException problem)
        {
            return ReloadReport.Refused(problem.Errors);
        }
        catch (Exception problem) when (problem is ListenException or ObjectDisposedException)
        {
            return ReloadReport.Refused([new("listeners", problem is ListenException ? problem.Message : "the proxy is stopping")]);
        }

        _running = plan.Effective;
        for (var i = 0; i < proxy.Endpoints.Length; i++)
        {
            if (!endpoints.Contains(proxy.Endpoints[i]))
                Log.Listening(log, proxy.Endpoints[i], settings.Listeners[i].Name);
        }

        return new(plan.NeedsRestart ? ReloadResult.Partial : ReloadResult.Applied, plan.Changes, [], wanted.Warnings);
    }

    private static ConfigurationError AsMixture(ConfigurationError error) =>
        error with { Problem = $"{error.Problem} (together with keys that take effect at a start only; restart to apply all of it)" };

    private void Tell(ReloadReport report, string cause)
    {
        foreach (var warning in report.Warnings.Take(MostNamed)) Log.Unwise(log, warning.Key, warning.Problem);
        switch (report.Result)
        {
            case ReloadResult.Unchanged:
                Log.Unchanged(log, cause);
                break;
            case ReloadResult.Refused:
                foreach (var error in report.Errors.Take(MostNamed)) Log.Error(log, error.Key, error.Problem);
                Log.Refused(log, cause, report.Errors.Count);
                break;
            default:
                var inForce = Words(report.Changes.Where(change => change.TakesEffect != TakesEffect.Restart));
                Log.Applied(log, cause, inForce);
                var waiting = report.Changes.Where(change => change.TakesEffect == TakesEffect.Restart).ToList();
                if (waiting.Count == 0) break;
                var later = Words(waiting);
                Log.NeedsRestart(log, later);
                break;
        }
    }

    private static string Words(IEnumerable<OptionChange> changes)
    {
        var all = changes.Select(change => $"{change.Key} ({change.TakesEffect})").ToList();
        if (all.Count == 0) return "nothing";
        var named = string.Join(", ", all.Take(MostNamed));
        return all.Count > MostNamed ? $"{named} and {all.Count - MostNamed} more" : named;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 9301, EventName = "Reloaded", Level = LogLevel.Information,
            Message = "Configuration read again ({Cause}): in force are {Changes}")]
        public static partial void Applied(ILogger logger, string cause, string changes);

        [LoggerMessage(EventId = 9302, EventName = "ReloadNeedsRestart", Level = LogLevel.Warning,
            Message = "Takes effect at the next start only: {Changes}")]
        public static partial void NeedsRestart(ILogger logger, string changes);

        [LoggerMessage(EventId = 9303, EventName = "ReloadUnchanged", Level = LogLevel.Information,
            Message = "Configuration read again ({Cause}): nothing has changed")]
        public static partial void Unchanged(ILogger logger, string cause);

        [LoggerMessage(EventId = 9304, EventName = "ReloadRefused", Level = LogLevel.Error,
            Message = "Configuration read again ({Cause}) and refused: {Errors} errors, which `portico check` lists too; "
                + "everything runs on as it was")]
        public static partial void Refused(ILogger logger, string cause, int errors);

        [LoggerMessage(EventId = 9308, EventName = "ReloadFaulted", Level = LogLevel.Error,
            Message = "An exception of the proxy ended a reload; please report it")]
        public static partial void Faulted(ILogger logger, Exception error);

        [LoggerMessage(EventId = 9305, EventName = "ReloadError", Level = LogLevel.Error, Message = "Configuration: {Key}: {Problem}")]
        public static partial void Error(ILogger logger, string key, string problem);

        [LoggerMessage(EventId = 9306, EventName = "ReloadUnwise", Level = LogLevel.Warning, Message = "Configuration: {Key}: {Problem}")]
        public static partial void Unwise(ILogger logger, string key, string problem);

        [LoggerMessage(EventId = 9307, EventName = "ReloadListening", Level = LogLevel.Information,
            Message = "Listening on {Endpoint} ({Listener})")]
        public static partial void Listening(ILogger logger, IPEndPoint endpoint, string listener);
    }
}
