using System.Collections.Immutable;
using System.Net;
using Portico.Core.Background;
using Portico.Core.Options;
using Portico.Protocol.TelegramConfig;

namespace Portico.Core.Telegram;

/// <summary>The middle proxies that a proxy with certain settings would use now, for those who do not run one.</summary>
/// <param name="Endpoints">By signed id of their data centre.</param>
/// <param name="Problem">Why Telegram's list could not be had, so that an older one stands here; null = it could.</param>
public sealed record KnownMiddleProxies(ImmutableArray<(short Dc, IPEndPoint Endpoint)> Endpoints, string? Problem)
{
    /// <summary>Asks for the lists; where that fails, what an earlier run kept or the program itself holds stands in.</summary>
    /// <param name="settings">Of the proxy.</param>
    /// <param name="mayAsk">Whether this source may be asked.</param>
    /// <param name="time">Measures how long that may take.</param>
    /// <param name="stop">Ends it at once.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/>.</exception>
    public static async Task<KnownMiddleProxies> AskAsync(
        ProxySettings settings, Predicate<Uri> mayAsk, TimeProvider time, CancellationToken stop)
    {
        using var downloader = new Downloader(Downloader.OverNetwork(), settings.Middle.HttpTimeout, time);
        var cache = new FileCache(settings.DataDirectory);
        var (v4, v6) = (ConfigUpdater.ListV4(settings.Middle), ConfigUpdater.ListV6(settings.Middle));
        v4.Load(cache);
        v6.Load(cache);
        var problems = await Task.WhenAll(UpdateAsync(v4), UpdateAsync(v6)).ConfigureAwait(false);

        var endpoints = ConfigUpdater.Together(v4, v6)
            .SelectMany(list => list.Dcs.SelectMany(dc => list.Endpoints(dc).Select(endpoint => (dc, endpoint))));
        return new([.. endpoints.Distinct()], problems[0]); // links work without IPv6

        async Task<string?> UpdateAsync(ConfigPart<ProxyConfigDocument> part)
        {
            if (part.Url is not { } url || !mayAsk(url)) return null;
            var download = await downloader.GetAsync(url, part.Limit, stop).ConfigureAwait(false);
            if (download.Result != DownloadResult.Ok) return $"{url} {download.Reason}";
            return part.TryTake(download.Body, ConfigSource.Fetched, time.GetUtcNow()) ? null : $"{url} answered with something else";
        }
    }
}
