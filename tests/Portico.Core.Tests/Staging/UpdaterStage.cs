using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Options;
using Portico.Core.Telegram;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;

namespace Portico.Core.Tests.Staging;

/// <summary>
/// An updater with Telegram's site, the look-up services, the clock and the data
/// directory in the test's hands. A second one in the same directory is a second start.
/// </summary>
internal sealed class UpdaterStage : IAsyncDisposable
{
    public const string SecretUrl = "https://core.telegram.org/getProxySecret";
    public const string ConfigUrl = "https://core.telegram.org/getProxyConfig";
    public const string ConfigV6Url = "https://core.telegram.org/getProxyConfigV6";
    public const string FirstIpUrl = "https://one.example/", SecondIpUrl = "https://two.example/";

    /// <summary>Unlike any pause between rounds.</summary>
    public static readonly TimeSpan HttpTimeout = TimeSpan.FromMilliseconds(1234);

    public static readonly TimeSpan Refresh = TimeSpan.FromHours(1);

    private readonly bool _ownsDirectory;
    private ConfigUpdater? _updater;
    private TimeSpan _pause;

    /// <param name="directory">Of an earlier stage; null = a fresh one.</param>
    /// <param name="time">Of an earlier stage.</param>
    public UpdaterStage(string? directory = null, ManualTime? time = null)
    {
        _ownsDirectory = directory is null;
        DataDirectory = directory ?? Path.Combine(Directory.CreateTempSubdirectory("portico-").FullName, "data");
        Clock = time ?? new ManualTime();
        Time = new TimerWatch(Clock);
        Metrics = new MetricsProbe();
    }

    public string DataDirectory { get; }

    public ManualTime Clock { get; }

    public TimerWatch Time { get; }

    public StageSite Site { get; } = new();

    public LogProbe Log { get; } = new();

    public MetricsProbe Metrics { get; }

    /// <summary>The address of this machine towards each family; null = no way.</summary>
    public IPAddress? Local4 { get; set; }

    public IPAddress? Local6 { get; set; }

    public MiddleProxySettings Middle { get; set; } = new()
    {
        Refresh = Refresh,
        HttpTimeout = HttpTimeout,
        IpLookupServices = [new(FirstIpUrl), new(SecondIpUrl)],
    };

    public MiddleProxyConfig Current => Middles.Current;

    /// <summary>Replacements that led elsewhere.</summary>
    public List<MiddleProxyConfigChange> Changes { get; } = [];

    /// <summary>Lines for the operator: warnings and worse.</summary>
    public IEnumerable<string> Warnings => Log.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text);

    private MiddleProxyDirectory Middles => _updater!.Directory;

    public static ProxySettings SettingsWith(
        MiddleProxySettings middle, string dataDirectory, BackendMode mode = BackendMode.Middle) =>
        new()
        {
            Listeners = [new ListenerSettings
            {
                Name = "main",
                Address = new IPEndPoint(IPAddress.Loopback, 0),
                Credentials = [new Credential("default", ProxySecret.Create(new byte[16]))],
            }],
            Mode = mode,
            Direct = new DirectSettings(),
            Middle = middle,
            TimeWindow = new TimeWindowSettings(),
            Timeouts = new TimeoutSettings(),
            DataDirectory = dataDirectory,
        };

    /// <summary>Everything is served as Telegram would.</summary>
    public UpdaterStage WithGoodSite()
    {
        Site.Serve(SecretUrl, Enumerable.Repeat((byte)7, 128).ToArray());
        Site.Serve(ConfigUrl, "default 2;\nproxy_for 1 192.0.2.1:8888;\nproxy_for 2 192.0.2.2:8888;\n");
        Site.Serve(ConfigV6Url, "default 2;\nproxy_for 2 [2001:db8::2]:80;\n");
        Site.Serve(FirstIpUrl, "8.8.4.4\n");
        return this;
    }

    /// <summary>What a start knows before it has asked anybody.</summary>
    public MiddleProxyConfig Open()
    {
        var settings = SettingsWith(Middle, DataDirectory);
        _updater = new ConfigUpdater(
            settings, new MiddleProxyDirectory(EmbeddedConfig.For(settings)), Log.Factory, new ProxyMetrics(Metrics, new MetricSources()),
            Time, Site,
            endpoint => endpoint.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? Local4 : Local6);
        Middles.Changed += Changes.Add;
        return Current;
    }

    /// <summary>Starts, and waits for the end of the first round.</summary>
    /// <returns>The pause before the next.</returns>
    public Task<TimeSpan> StartAsync()
    {
        if (_updater is null) Open();
        _updater!.Start();
        return RoundAsync();
    }

    /// <summary>Links fail.</summary>
    public void Hurry() => _updater!.Hurry();

    /// <summary>Waits for the end of the round that is under way.</summary>
    public async Task<TimeSpan> RoundAsync() => _pause = await Time.NextAsync(HttpTimeout);

    /// <summary>Moves on to the next round and waits for its end.</summary>
    public Task<TimeSpan> NextRoundAsync()
    {
        Time.Advance(_pause);
        return RoundAsync();
    }

    /// <summary>Moves on until everything was asked again, whatever failed meanwhile.</summary>
    public async Task RefreshAsync()
    {
        for (var end = Clock.GetUtcNow() + (Refresh * 1.1); Clock.GetUtcNow() < end;) await NextRoundAsync();
    }

    public double Updates(string document, string result) =>
        Metrics.Value("portico_config_updates_total", ("document", document), ("result", result));

    public async ValueTask StopAsync()
    {
        if (_updater is null) return;
        await _updater.DisposeAsync().AsTask().WaitAsync(Wire.Patience);
        _updater = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Metrics.Dispose();
        Log.Dispose();
        if (_ownsDirectory)
            Directory.Delete(Path.GetDirectoryName(DataDirectory)!, recursive: true);
        Xunit.Assert.Empty(Log.Errors);
    }
}
