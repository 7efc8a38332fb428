using System.Net;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Options;
using Portico.Core.Telegram;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Telegram;

[UnsupportedOSPlatform("windows")] // file modes
public sealed class ConfigUpdaterTests : IAsyncDisposable
{
    private const UnixFileMode OnlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly UpdaterStage _stage = new();

    public static TheoryData<string, string, string, HttpStatusCode> Bad => new()
    {
        { UpdaterStage.SecretUrl, "secret invalid", new string('x', 31), HttpStatusCode.OK },
        { UpdaterStage.SecretUrl, "secret too_large", new string('x', 257), HttpStatusCode.OK },
        { UpdaterStage.SecretUrl, "secret status", new string('x', 128), HttpStatusCode.InternalServerError },
        { UpdaterStage.ConfigUrl, "config invalid", "", HttpStatusCode.OK },
        { UpdaterStage.ConfigUrl, "config invalid", "<html><body>proxy_for 2 1.2.3.4;</body></html>", HttpStatusCode.OK },
        { UpdaterStage.ConfigUrl, "config invalid", "default 3;\n", HttpStatusCode.OK },
        { UpdaterStage.ConfigUrl, "config too_large", "proxy_for 9 192.0.2.9:9;\n" + new string('#', 1024 * 1024), HttpStatusCode.OK },
        { UpdaterStage.ConfigUrl, "config status", "proxy_for 9 192.0.2.9:9;\n", HttpStatusCode.BadGateway },
    };

    public ValueTask DisposeAsync() => _stage.DisposeAsync();

    [Fact]
    public async Task A_first_start_without_the_network_serves_from_the_embedded_values()
    {
        var first = _stage.Open();
        Assert.Equal(EmbeddedConfig.Secret, first.Secret);
        Assert.Equal(
            EmbeddedConfig.V4.Endpoints(-4).Concat(EmbeddedConfig.V6.Endpoints(-4)), first.Find(-4, preferIPv6: false).AsEnumerable());
        Assert.Equal(EmbeddedConfig.V6.Endpoints(2).Concat(EmbeddedConfig.V4.Endpoints(2)), first.Find(2, preferIPv6: true).AsEnumerable());

        var pause = await _stage.StartAsync();

        Assert.Equal((ConfigSource.Embedded, EmbeddedConfig.AsOf), (_stage.Current.Source, _stage.Current.AsOf));
        Assert.Empty(_stage.Changes);
        Assert.InRange(pause.TotalSeconds, 2.5, 5);
        Assert.False(Directory.Exists(_stage.DataDirectory));
        Assert.Equal(1, _stage.Updates("secret", "unreachable"));
        Assert.Equal(2, _stage.Updates("external_ip", "unreachable"));
        Assert.Equal(3, _stage.Warnings.Count()); // secret, IPv4 list, external address; the IPv6 list is no news
    }

    [Fact]
    public async Task Failing_links_bring_the_look_ups_forward_but_not_twice_in_a_minute()
    {
        _stage.WithGoodSite();
        await _stage.StartAsync();
        var asked = _stage.Site.Requests.Count;
        _stage.Site.Serve(UpdaterStage.FirstIpUrl, "9.9.9.9\n");

        _stage.Hurry();
        await _stage.RoundAsync();

        Assert.Equal(2 * asked, _stage.Site.Requests.Count);
        Assert.Equal(System.Net.IPAddress.Parse("9.9.9.9"), _stage.Current.ExternalV4);
        _stage.Hurry();
        await _stage.NextRoundAsync(); // the round that is due by itself
        Assert.InRange(_stage.Site.Requests.Count, (2 * asked) + 1, 3 * asked);
        _stage.Hurry();
        await _stage.RoundAsync();
        Assert.True(_stage.Site.Requests.Count > 3 * asked);
    }

    [Fact]
    public async Task What_Telegram_serves_takes_over_and_is_kept_for_this_user_only()
    {
        _stage.WithGoodSite();

        var pause = await _stage.StartAsync();

        var config = _stage.Current;
        Assert.Equal((ConfigSource.Fetched, _stage.Clock.GetUtcNow()), (config.Source, config.AsOf));
        Assert.Equal(Enumerable.Repeat((byte)7, 128), config.Secret.Bytes.ToArray());
        Assert.Equal([1, 2], config.Dcs.Select(dc => (int)dc));
        Assert.Equal("192.0.2.2:8888", config.Find(2, preferIPv6: false)[0].ToString());
        Assert.Equal("[2001:db8::2]:80", config.Find(2, preferIPv6: true)[0].ToString());
        Assert.Equal((IPAddress.Parse("8.8.4.4"), null), (config.ExternalV4, config.ExternalV6));
        Assert.True(config.LeadsToTheSameAs(_stage.Changes[^1].New));
        Assert.InRange(pause, UpdaterStage.Refresh * 0.9, UpdaterStage.Refresh * 1.1);
        Assert.Empty(_stage.Warnings);
        Assert.All(["secret", "config", "config_v6", "external_ip"], document => Assert.Equal(1, _stage.Updates(document, "ok")));
        Assert.Equal(
            ["telegram-config", "telegram-config-v6", "telegram-secret"],
            Directory.GetFiles(_stage.DataDirectory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(OnlyOwner | UnixFileMode.UserExecute, File.GetUnixFileMode(_stage.DataDirectory));
        Assert.All(Directory.GetFiles(_stage.DataDirectory), file => Assert.Equal(OnlyOwner, File.GetUnixFileMode(file)));
    }

    [Fact]
    public async Task A_second_start_without_the_network_serves_from_what_the_first_one_kept()
    {
        await _stage.WithGoodSite().StartAsync();
        await _stage.StopAsync();
        var fetched = _stage.Clock.GetUtcNow();
        _stage.Clock.Advance(TimeSpan.FromDays(3));

        await using var second = new UpdaterStage(_stage.DataDirectory, _stage.Clock);
        var first = second.Open();
        await second.StartAsync();

        Assert.Equal((ConfigSource.Cached, fetched), (second.Current.Source, second.Current.AsOf));
        Assert.Equal(Enumerable.Repeat((byte)7, 128), first.Secret.Bytes.ToArray());
        Assert.Equal("192.0.2.1:8888", first.Find(1, preferIPv6: false)[0].ToString());
        Assert.Equal("[2001:db8::2]:80", first.Find(2, preferIPv6: true)[0].ToString());
        Assert.Empty(second.Changes);
    }

    [Fact]
    public async Task Spoilt_copies_are_as_good_as_none()
    {
        Directory.CreateDirectory(_stage.DataDirectory);
        await File.WriteAllBytesAsync(Path.Combine(_stage.DataDirectory, "telegram-secret"), new byte[5]);
        await File.WriteAllBytesAsync(Path.Combine(_stage.DataDirectory, "telegram-config"), new byte[2 * 1024 * 1024]);
        Directory.CreateDirectory(Path.Combine(_stage.DataDirectory, "telegram-config-v6"));

        var config = _stage.Open();

        Assert.Equal(ConfigSource.Embedded, config.Source);
        Assert.Equal(EmbeddedConfig.Secret, config.Secret);
        Assert.Equal(EmbeddedConfig.V4.Endpoints(5).AsEnumerable(), config.Find(5, preferIPv6: false).Take(1));
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_document_changes_nothing_is_told_once_and_so_is_its_recovery(
        string url, string counted, string body, HttpStatusCode status)
    {
        await _stage.WithGoodSite().StartAsync();
        var good = _stage.Current;
        var kept = Kept();
        _stage.Changes.Clear();
        _stage.Site.Serve(url, Encoding.Latin1.GetBytes(body), status);

        for (var i = 0; i < 3; i++) await _stage.RefreshAsync();

        Assert.Empty(_stage.Changes);
        Assert.Equal(good.Secret, _stage.Current.Secret);
        Assert.Equal(good.Dcs.AsEnumerable(), _stage.Current.Dcs);
        Assert.Equal(kept, Kept());
        Assert.True(_stage.Updates(counted.Split(' ')[0], counted.Split(' ')[1]) >= 3);
        Assert.Contains(url, Assert.Single(_stage.Warnings), StringComparison.Ordinal);

        _stage.WithGoodSite();
        await _stage.RefreshAsync();

        Assert.Single(_stage.Warnings);
        Assert.Single(
            _stage.Log.Lines, line => line is { EventName: "Downloaded", Level: Microsoft.Extensions.Logging.LogLevel.Information });
    }

    [Fact]
    public async Task A_site_that_never_answers_holds_nothing_up_for_longer_than_its_limit()
    {
        _stage.WithGoodSite();
        var asked = _stage.Site.Hang(UpdaterStage.ConfigUrl);
        var round = _stage.StartAsync();
        await asked;
        Assert.False(round.IsCompleted);

        _stage.Time.Advance(UpdaterStage.HttpTimeout);
        await round;

        Assert.Equal(1, _stage.Updates("config", "timeout"));
        Assert.Equal(Enumerable.Repeat((byte)7, 128), _stage.Current.Secret.Bytes.ToArray());
        Assert.Equal(ConfigSource.Embedded, _stage.Current.Source); // its poorest part
    }

    [Fact]
    public async Task A_failed_download_is_tried_again_soon_and_the_others_are_not()
    {
        _stage.WithGoodSite();
        _stage.Site.Vanish(UpdaterStage.ConfigUrl);
        var pause = await _stage.StartAsync();
        foreach (var longest in new[] { 5, 10, 20, 40 })
        {
            Assert.InRange(pause.TotalSeconds, longest / 2.0, longest + 0.1);
            pause = await _stage.NextRoundAsync();
        }

        Assert.Equal(5, _stage.Site.Requests.Count(url => url == UpdaterStage.ConfigUrl));
        Assert.Equal(1, _stage.Site.Requests.Count(url => url == UpdaterStage.SecretUrl));
        Assert.Equal(1, _stage.Site.Requests.Count(url => url == UpdaterStage.FirstIpUrl));
    }

    [Fact]
    public async Task New_addresses_are_told_with_the_ids_that_they_concern()
    {
        await _stage.WithGoodSite().StartAsync();
        var old = _stage.Current;
        _stage.Changes.Clear();
        _stage.Site.Serve(
            UpdaterStage.ConfigUrl,
            "default 2;\nproxy_for 1 192.0.2.1:8888;\nproxy_for 2 192.0.2.77:8888;\nproxy_for 3 192.0.2.3:8888;\n");

        await _stage.RefreshAsync();

        var change = Assert.Single(_stage.Changes);
        Assert.Equal([2, 3], change.New.DcsThatDiffer(change.Old).Select(dc => (int)dc));
        Assert.Equal("192.0.2.2:8888", old.Find(2, preferIPv6: false)[0].ToString()); // who holds the old one keeps it
    }

    [Fact]
    public async Task Bad_lines_are_skipped_with_one_warning()
    {
        _stage.WithGoodSite();
        _stage.Site.Serve(
            UpdaterStage.ConfigUrl, "default 2;\nproxy_for x 192.0.2.1:1;\nproxy_for 2 192.0.2.2:0;\nproxy_for 2 192.0.2.2:8888;\n");

        await _stage.StartAsync();
        await _stage.RefreshAsync();

        Assert.Equal([2], _stage.Current.Dcs.Select(dc => (int)dc));
        Assert.Contains("skipped: 2;", Assert.Single(_stage.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_IPv6_list_alone_failing_is_no_news()
    {
        _stage.WithGoodSite();
        _stage.Site.Vanish(UpdaterStage.ConfigV6Url);

        await _stage.StartAsync();

        Assert.Empty(_stage.Warnings);
        Assert.Equal(ConfigSource.Fetched, _stage.Current.Source);
        // embedded addresses do not stand beside others
        Assert.Equal("192.0.2.2:8888", _stage.Current.Find(2, preferIPv6: true)[0].ToString());
    }

    [Fact]
    public async Task Who_names_another_list_never_gets_the_embedded_addresses()
    {
        _stage.Middle = _stage.Middle with { ConfigUrl = new Uri("https://mirror.example/list"), ConfigV6Url = null };

        Assert.Empty(_stage.Open().Dcs);
        await _stage.StartAsync();

        Assert.Empty(_stage.Current.Dcs);
        Assert.DoesNotContain(UpdaterStage.ConfigV6Url, _stage.Site.Requests);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_to_is_told_once_and_costs_only_the_copies()
    {
        await File.WriteAllTextAsync(_stage.DataDirectory, "a file is in the way");

        await _stage.WithGoodSite().StartAsync();
        await _stage.RefreshAsync();

        Assert.Equal(ConfigSource.Fetched, _stage.Current.Source);
        Assert.Contains("dataDirectory", Assert.Single(_stage.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_secret_is_never_logged()
    {
        await _stage.WithGoodSite().StartAsync();
        Assert.Empty(_stage.Log.LinesWith(_stage.Current.Secret.Bytes[..16].ToArray()));
    }

    [Fact]
    public async Task A_stop_in_the_middle_of_everything_is_at_once_and_leaves_no_timer()
    {
        string[] urls = [UpdaterStage.SecretUrl, UpdaterStage.ConfigUrl, UpdaterStage.ConfigV6Url, UpdaterStage.FirstIpUrl];
        Task[] asked = [.. urls.Select(_stage.Site.Hang)];
        _ = _stage.StartAsync();
        await Task.WhenAll(asked);
        Assert.NotEqual(0, _stage.Time.Open);

        await _stage.StopAsync();

        Assert.Equal(0, _stage.Time.Open);
        Assert.True(_stage.Site.IsDisposed);
    }

    [Fact]
    public async Task A_stop_between_two_rounds_leaves_no_timer()
    {
        await _stage.WithGoodSite().StartAsync();
        await _stage.NextRoundAsync();
        Assert.Equal(1, _stage.Time.Open);

        await _stage.StopAsync();

        Assert.Equal(0, _stage.Time.Open);
    }

    [Theory]
    [InlineData(BackendMode.Direct, false)]
    [InlineData(BackendMode.Auto, false)] // nobody has an ad tag
    [InlineData(BackendMode.Middle, true)]
    public async Task A_proxy_asks_only_if_a_client_can_come_to_a_middle_proxy(BackendMode mode, bool asks)
    {
        var site = new StageSite();
        var asked = site.Hang(UpdaterStage.ConfigUrl);
        var time = new TimerWatch(new ManualTime());
        using var meters = new MetricProbe();
        var engine = new MemoryEngine(new ManualTime());
        var proxy = PorticoProxy.Start(
            UpdaterStage.SettingsWith(_stage.Middle, _stage.DataDirectory, mode),
            engine, NullLoggerFactory.Instance, meters, time, site);
        if (asks) await asked.WaitAsync(Wire.Patience);

        var stopped = proxy.StopAsync(TimeSpan.Zero);
        while (!stopped.IsCompleted)
        {
            engine.Loop.RunUntilIdle();
            Thread.Yield();
        }

        Assert.Equal(asks, !site.Requests.IsEmpty);
        Assert.Equal(0, time.Open);
    }

    private List<string> Kept() => [.. Directory.GetFiles(_stage.DataDirectory)
        .Order(StringComparer.Ordinal).Select(file => Convert.ToHexString(File.ReadAllBytes(file)))];
}
