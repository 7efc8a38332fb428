using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Portico.Core.Background;
using Portico.Core.Diagnostics;
using Portico.Core.Options;
using Portico.Protocol.TelegramConfig;

namespace Portico.Core.Telegram;

/// <summary>
/// Keeps the directory of middle proxies up to date, on the thread pool: three documents of Telegram's and our external
/// address, each asked by its own schedule (spec/03 section 1). Nobody waits for it: until something better comes,
/// the copies of an earlier run or the embedded values serve. What fails or is not understood changes nothing.
/// </summary>
internal sealed partial class ConfigUpdater : IAsyncDisposable
{
    /// <summary>Far above the real ones (4 KB), far below what hurts.</summary>
    private const int ListLimit = 1024 * 1024;

    private const int ShortestPauseMs = 20;

    // Between two look-ups ahead of time: a secret that is wrong for good must not become a flood.
    private const long HurryMs = 60_000;

    private readonly ConfigPart<MiddleProxySecret> _secret;
    private readonly ConfigPart<ProxyConfigDocument> _v4;
    private readonly ConfigPart<ProxyConfigDocument> _v6;
    private readonly ExternalAddress _external;
    private readonly RefreshSchedule _externalSchedule;
    private readonly FileCache _cache;
    private readonly Downloader _downloader;
    private readonly ProxyMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly short _defaultDc;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _hurried = New();
    private long _hurriedMs = -HurryMs;
    private Task _running = Task.CompletedTask;
    private bool _isCacheFailing;

    /// <summary>Reads what an earlier run kept; the directory is of use at once.</summary>
    /// <param name="settings">Of the whole proxy.</param>
    /// <param name="directory">What it keeps up to date.</param>
    /// <param name="loggers">For failures and their ends.</param>
    /// <param name="metrics">Counts downloads.</param>
    /// <param name="time">Schedules and time limits.</param>
    /// <param name="http">How documents are fetched; disposed of at the end.</param>
    /// <param name="localTowards">See <see cref="ExternalAddress.LocalTowards"/>.</param>
    public ConfigUpdater(
        ProxySettings settings, MiddleProxyDirectory directory, ILoggerFactory loggers, ProxyMetrics metrics,
        TimeProvider time, HttpMessageHandler http, Func<IPEndPoint, IPAddress?> localTowards)
    {
        var middle = settings.Middle;
        _metrics = metrics;
        _time = time;
        _started = time.GetTimestamp();
        _defaultDc = (short)settings.Direct.DefaultDc;
        _log = loggers.CreateLogger<ConfigUpdater>();
        _cache = new FileCache(settings.DataDirectory);
        _downloader = new Downloader(http, middle.HttpTimeout, time);
        _external = new ExternalAddress(middle, _downloader, metrics, localTowards);
        _externalSchedule = new RefreshSchedule(middle.Refresh);

        _secret = new(
            "secret", middle.SecretUrl, MiddleProxySecret.MaxLength,
            EmbeddedConfig.Secret, new RefreshSchedule(middle.Refresh), ReadSecret);
        _v4 = ListV4(middle);
        _v6 = ListV6(middle);
        _secret.Load(_cache);
        _v4.Load(_cache);
        _v6.Load(_cache);
        Directory = directory;
        directory.Publish(Compose());
    }

    /// <summary>What it keeps up to date.</summary>
    public MiddleProxyDirectory Directory { get; }

    private TimeSpan Now => _time.GetElapsedTime(_started);

    /// <summary>Begins to download.</summary>
    public void Start()
    {
        var config = Directory.Current;
        Log.Starting(_log, config.Dcs.Length, config.Source, config.AsOf);
        _running = WatchAsync();
    }

    /// <summary>
    /// Everything is looked up soon, if that was not so within a minute:
    /// links fail as if it were outdated. From any thread.
    /// </summary>
    /// <returns>False if it was so within a minute.</returns>
    public bool Hurry()
    {
        var now = (long)Now.TotalMilliseconds;
        var last = Interlocked.Read(ref _hurriedMs);
        if (now - last < HurryMs || Interlocked.CompareExchange(ref _hurriedMs, now, last) != last)
            return false;
        Volatile.Read(ref _hurried).TrySetResult();
        return true;
    }

    /// <summary>Ends it at once, in the middle of a download too.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _downloader.Dispose();
        _stop.Dispose();
    }

    /// <summary>The list of IPv4 addresses before anything is loaded or asked for.</summary>
    public static ConfigPart<ProxyConfigDocument> ListV4(MiddleProxySettings middle) => new(
        "config", middle.ConfigUrl, ListLimit, IsTelegrams(middle) ? EmbeddedConfig.V4 : new(null, []),
        new RefreshSchedule(middle.Refresh), ReadList);

    /// <summary>The same of IPv6.</summary>
    public static ConfigPart<ProxyConfigDocument> ListV6(MiddleProxySettings middle) => new(
        "config_v6", middle.ConfigV6Url, ListLimit,
        IsTelegrams(middle) && middle.ConfigV6Url is not null ? EmbeddedConfig.V6 : new(null, []),
        new RefreshSchedule(middle.Refresh), ReadList);

    /// <summary>What of both lists counts: embedded addresses never stand beside others, which may not be Telegram's.</summary>
    public static ProxyConfigDocument[] Together(ConfigPart<ProxyConfigDocument> v4, ConfigPart<ProxyConfigDocument> v6) =>
        v6.Source == ConfigSource.Embedded && v4.Source != ConfigSource.Embedded ? [v4.Value] : [v4.Value, v6.Value];

    // The embedded addresses are Telegram's: who has a list of their own gets nothing else.
    private static bool IsTelegrams(MiddleProxySettings middle) => middle.ConfigUrl == new MiddleProxySettings().ConfigUrl;

    private static MiddleProxySecret? ReadSecret(byte[] body) => MiddleProxySecret.TryCreate(body, out var secret) ? secret : null;

    // Latin-1 takes any byte: what is not ASCII spoils its line and no other.
    private static ProxyConfigDocument? ReadList(byte[] body) =>
        ProxyConfigDocument.Parse(Encoding.Latin1.GetString(body)) is { IsValid: true } document ? document : null;

    // An exception here is our bug; the proxy goes on with what it knows, and the log must say so.
    private async Task WatchAsync()
    {
        var run = RunAsync(_stop.Token);
        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (run.Exception is { } fault) Log.Faulted(_log, fault);
    }

    private async Task RunAsync(CancellationToken stop)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // the start does not wait
        while (true)
        {
            await UpdateAsync(stop).ConfigureAwait(false);
            // Timers count whole milliseconds and may be early: a pause rounded down would be followed by a round in which nothing is due.
            var pause = Math.Max(Math.Ceiling((NextDue() - Now).TotalMilliseconds), ShortestPauseMs);
            await PauseAsync(TimeSpan.FromMilliseconds(pause), stop).ConfigureAwait(false);
        }
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var hurried = _hurried.Task;
        await Task.WhenAny(hurried, Task.Delay(pause, _time, over.Token)).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false); // or the timer lives on
        stop.ThrowIfCancellationRequested();
        if (!hurried.IsCompleted) return;
        Volatile.Write(ref _hurried, New());
        foreach (var schedule in new[] { _secret.Schedule, _v4.Schedule, _v6.Schedule, _externalSchedule }) schedule.BringForward(Now);
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TimeSpan NextDue()
    {
        TimeSpan[] dues =
            [_secret.Schedule.Due, _v4.Schedule.Due, _v6.Url is null ? TimeSpan.MaxValue : _v6.Schedule.Due, _externalSchedule.Due];
        return dues.Min();
    }

    // Everything that is due, at the same time; the documents do not wait for services that may all be slow.
    private async Task UpdateAsync(CancellationToken stop)
    {
        await Task.WhenAll(UpdateExternalAsync(stop), UpdateDocumentsAsync(stop)).ConfigureAwait(false);
        Directory.Publish(Compose());
    }

    private async Task UpdateDocumentsAsync(CancellationToken stop)
    {
        await Task.WhenAll(UpdateAsync(_secret, stop), UpdateAsync(_v4, stop), UpdateAsync(_v6, stop)).ConfigureAwait(false);
        Directory.Publish(Compose());
    }

    private async Task UpdateAsync<T>(ConfigPart<T> part, CancellationToken stop)
        where T : class
    {
        if (part.Url is not { } url || part.Schedule.Due > Now) return;
        var download = await _downloader.GetAsync(url, part.Limit, stop).ConfigureAwait(false);
        if (download.Result == DownloadResult.Ok && !part.TryTake(download.Body, ConfigSource.Fetched, _time.GetUtcNow()))
            download = Download.Failed(DownloadResult.Invalid, "answered with something else");
        _metrics.ConfigUpdated(part.Label, download.Result.Tag());

        // Links work without IPv6.
        var isOptional = ReferenceEquals(part, _v6);
        if (download.Result != DownloadResult.Ok)
        {
            var level = part.Schedule.Failed(Now) && !isOptional ? LogLevel.Warning : LogLevel.Debug;
            var seconds = SecondsUntil(part.Schedule);
            Log.DownloadFailed(_log, level, url, download.Reason, part.Source, part.AsOf, seconds);
            return;
        }

        var works = part.Schedule.Succeeded(Now) && !isOptional ? LogLevel.Information : LogLevel.Debug;
        Log.Downloaded(_log, works, url, download.Body.Length);
        TellFaults(part, url);
        Keep(part, download.Body);
    }

    private async Task UpdateExternalAsync(CancellationToken stop)
    {
        if (_externalSchedule.Due > Now) return;
        var (v4, v6) = (_external.V4, _external.V6);
        var problem = await _external.UpdateAsync(Directory.Current, stop).ConfigureAwait(false);
        if (problem is null && _externalSchedule.Succeeded(Now)) Log.ExternalAddressWorks(_log);
        if (problem is not null)
        {
            var level = _externalSchedule.Failed(Now) ? LogLevel.Warning : LogLevel.Debug;
            var (address, seconds) = (_external.V4?.ToString() ?? "the local address of each link", SecondsUntil(_externalSchedule));
            Log.ExternalAddressFailed(_log, level, problem, address, seconds);
        }

        if (Equals(v4, _external.V4) && Equals(v6, _external.V6)) return;
        var (shownV4, shownV6) = (_external.V4?.ToString() ?? "unknown", _external.V6?.ToString() ?? "unknown");
        Log.ExternalAddressChanged(_log, shownV4, shownV6);
    }

    private void TellFaults<T>(ConfigPart<T> part, Uri url)
        where T : class
    {
        if (part.Value is not ProxyConfigDocument document) return;
        if (document.FaultCount > 0 && !part.HasFaults)
            Log.BadLines(_log, url, document.FaultCount, document.Faults[0].Line, document.Faults[0].Reason);
        part.HasFaults = document.FaultCount > 0;
    }

    private void Keep<T>(ConfigPart<T> part, byte[] body)
        where T : class
    {
        // Three parts may come here at the same time, and a full disk is one piece of news.
        lock (_cache)
        {
            var problem = part.Keep(_cache, body);
            if (problem is not null && !_isCacheFailing) Log.NotKept(_log, problem);
            if (problem is null && _isCacheFailing) Log.KeptAgain(_log);
            _isCacheFailing = problem is not null;
        }
    }

    private double SecondsUntil(RefreshSchedule schedule) => Math.Round((schedule.Due - Now).TotalSeconds);

    private MiddleProxyConfig Compose()
    {
        return new MiddleProxyConfig(_secret.Value, Together(_v4, _v6), _defaultDc)
        {
            ExternalV4 = _external.V4,
            ExternalV6 = _external.V6,
            Source = _secret.Source < _v4.Source ? _secret.Source : _v4.Source,
            AsOf = _secret.AsOf < _v4.AsOf ? _secret.AsOf : _v4.AsOf,
        };
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1401, EventName = "ConfigStarting", Level = LogLevel.Information,
            Message = "Middle proxies of {Dcs} data centres are known ({Source}, "
                + "of {AsOf:yyyy-MM-dd HH:mm} UTC); asking Telegram for news")]
        public static partial void Starting(ILogger logger, int dcs, ConfigSource source, DateTimeOffset asOf);

        [LoggerMessage(EventId = 1402, EventName = "DownloadFailed",
            Message = "{Url} {Reason}; going on with what is known ({Source}, "
                + "of {AsOf:yyyy-MM-dd HH:mm} UTC), next attempt in {Seconds} s")]
        public static partial void DownloadFailed(
            ILogger logger, LogLevel level, Uri url, string reason, ConfigSource source, DateTimeOffset asOf, double seconds);

        [LoggerMessage(EventId = 1403, EventName = "Downloaded", Message = "{Url} answered with {Length} bytes; in force")]
        public static partial void Downloaded(ILogger logger, LogLevel level, Uri url, int length);

        [LoggerMessage(EventId = 1404, EventName = "BadLines", Level = LogLevel.Warning,
            Message = "{Url}: statements skipped: {Count}; the first, on line {Line}: {Reason}")]
        public static partial void BadLines(ILogger logger, Uri url, int count, int line, string reason);

        [LoggerMessage(EventId = 1405, EventName = "ExternalAddressFailed",
            Message = "Nobody told our external address (last asked {Problem}); going on with {Address}, "
                + "next attempt in {Seconds} s. If links to middle proxies fail, set backend.middle.externalIp")]
        public static partial void ExternalAddressFailed(ILogger logger, LogLevel level, string problem, string address, double seconds);

        [LoggerMessage(EventId = 1406, EventName = "ExternalAddressWorks", Level = LogLevel.Information,
            Message = "Our external address was told again")]
        public static partial void ExternalAddressWorks(ILogger logger);

        [LoggerMessage(EventId = 1407, EventName = "ExternalAddressChanged", Level = LogLevel.Information,
            Message = "Telegram sees us as {V4} (IPv4) and {V6} (IPv6); new links use this")]
        public static partial void ExternalAddressChanged(ILogger logger, string v4, string v6);

        [LoggerMessage(EventId = 1408, EventName = "NotKept", Level = LogLevel.Warning,
            Message = "Telegram's configuration cannot be kept for the next start: "
                + "{Problem}; give this user the right to write to dataDirectory")]
        public static partial void NotKept(ILogger logger, string problem);

        [LoggerMessage(EventId = 1409, EventName = "KeptAgain", Level = LogLevel.Information,
            Message = "Telegram's configuration is kept for the next start again")]
        public static partial void KeptAgain(ILogger logger);

        [LoggerMessage(EventId = 1410, EventName = "UpdaterFaulted", Level = LogLevel.Error,
            Message = "Downloads of Telegram's configuration ended by an exception of the proxy, "
                + "which goes on with what it knows; please report it")]
        public static partial void Faulted(ILogger logger, Exception error);
    }
}
