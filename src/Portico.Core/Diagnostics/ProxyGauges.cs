using System.Diagnostics.Metrics;
using Portico.Core.Net;

namespace Portico.Core.Diagnostics;

/// <summary>
/// What is read when somebody asks: the loops' plain fields, summed up, and how much there is of something beside how much there may be.
/// </summary>
internal static class ProxyGauges
{
    /// <summary>As instruments of the meter.</summary>
    public static void Publish(Meter meter, MetricSources sources)
    {
        PublishSums(meter, sources.Listeners, sources.Dcs);
        PublishStrangers(meter, sources);
        PublishReplays(meter, sources.Replays);
        PublishWeb(meter, sources);
        meter.CreateObservableGauge(
            "portico.connections.limit", () => PerListener(sources.SessionLimits()), "{connection}",
            "Clients that a listener may have at a time");
        meter.CreateObservableGauge(
            "portico.dc.ports.limit", () => (long)ProcessLimits.LocalPorts(), "{port}",
            "Local ports that this system has for each address of a data centre");
        meter.CreateObservableGauge("portico.memory.bytes", () => sources.Memory().Used, "By", "Memory in use where it is shortest");
        meter.CreateObservableGauge("portico.memory.limit.bytes", () => sources.Memory().Limit, "By", "Its limit");
        meter.CreateObservableGauge("portico.memory.level", () => (long)sources.Memory().Level, null, "How short it is");
    }

    private static void PublishSums(Meter meter, Func<IEnumerable<ListenerCounters>> listeners, Func<IEnumerable<DcCounters>> dcs)
    {
        meter.CreateObservableGauge(
            "portico.dc.connections", () => Summed(dcs(), "dc", d => d.Dc, d => d.Connections),
            "{connection}", "Links to middle proxies that are ready");
        meter.CreateObservableGauge(
            "portico.dc.clients", () => Summed(dcs(), "dc", d => d.Dc, d => d.Clients),
            "{client}", "Clients on links to middle proxies");
        meter.CreateObservableGauge(
            "portico.dc.ports.used", () => Summed(dcs(), "dc", d => d.Dc, d => d.Ports),
            "{port}", "Local ports that connections to a data centre take, one per client");
        meter.CreateObservableCounter(
            "portico.client.received", () => Summed(listeners(), "listener", l => l.Name, l => l.ClientReceived),
            "By", "Bytes read from clients");
        meter.CreateObservableCounter(
            "portico.client.sent", () => Summed(listeners(), "listener", l => l.Name, l => l.ClientSent),
            "By", "Bytes written to clients");
        meter.CreateObservableCounter(
            "portico.dc.received", () => Summed(dcs(), "dc", d => d.Dc, d => d.Received), "By", "Bytes read from data centres");
        meter.CreateObservableCounter(
            "portico.dc.sent", () => Summed(dcs(), "dc", d => d.Dc, d => d.Sent), "By", "Bytes written to data centres");
        meter.CreateObservableGauge(
            "portico.connections", () => listeners().GroupBy(l => l.Name).SelectMany(Open),
            "{connection}", "Open connections, by state");
    }

    private static void PublishStrangers(Meter meter, MetricSources sources)
    {
        meter.CreateObservableGauge("portico.cover.limit", sources.CoverLimit, "{connection}", "Most strangers at the cover at a time");
        meter.CreateObservableGauge(
            "portico.stranger.trials", () => PerListener(sources.StrangerTrials()), "{secret}",
            "Secrets that a stranger's hello is tried with");
        meter.CreateObservableGauge(
            "portico.stranger.networks", sources.StrangerNetworks, "{network}",
            "Networks whose callers failed so often that they are not tried with all secrets now");
        meter.CreateObservableGauge(
            "portico.stranger.networks.limit", sources.StrangerRoom, "{network}", "Networks that can be kept count of");
    }

    private static void PublishWeb(Meter meter, MetricSources sources)
    {
        meter.CreateObservableGauge(
            "portico.web.sessions", () => sources.Web().Select(it => Of(it, it.Sessions)), "{session}",
            "Sessions of WEB proxies, by carrier");
        meter.CreateObservableGauge(
            "portico.web.streams", () => sources.Web().Select(it => Of(it, it.Streams)), "{stream}", "Streams of those sessions");
        meter.CreateObservableGauge(
            "portico.web.polls", () => sources.Web().Select(it => Of(it, it.Parked)), "{request}",
            "Requests for frames that wait until there are some");
        meter.CreateObservableCounter(
            "portico.web.begun", () => sources.Web().Where(HasCarrier).Select(it => Of(it, it.Begun)), "{session}",
            "Sessions of WEB proxies whose first frame has travelled, by carrier");
        meter.CreateObservableCounter(
            "portico.web.opened", () => sources.Web().Where(HasCarrier).Select(it => Of(it, it.Opened)), "{stream}",
            "Streams that WEB sessions have opened, by carrier");
        meter.CreateObservableCounter(
            "portico.web.received", () => sources.WebBytes().Select(it => OfListener(it.Listener, it.Received)), "By",
            "Bytes from apps in streams of WEB sessions");
        meter.CreateObservableCounter(
            "portico.web.sent", () => sources.WebBytes().Select(it => OfListener(it.Listener, it.Sent)), "By",
            "Bytes to apps in streams of WEB sessions");

        static bool HasCarrier(WebFigures figures) => figures.Carrier != WebFigures.NoCarrier;

        static Measurement<long> Of(WebFigures figures, long count) =>
            new(count, new("listener", figures.Listener), new KeyValuePair<string, object?>("carrier", figures.Carrier));

        static Measurement<long> OfListener(string listener, long bytes) =>
            new(bytes, new KeyValuePair<string, object?>("listener", listener));
    }

    private static void PublishReplays(Meter meter, Func<ReplayFigures> replays)
    {
        meter.CreateObservableGauge("portico.replay.items", () => replays().Items, "{item}", "Beginnings of clients that are remembered");
        meter.CreateObservableGauge("portico.replay.items.limit", () => replays().MostItems, "{item}", "Most of them");
        meter.CreateObservableGauge("portico.replay.bytes", () => replays().Bytes, "By", "Memory that they take");
        meter.CreateObservableGauge("portico.replay.limit.bytes", () => replays().MostBytes, "By", "Memory that they may take");
        meter.CreateObservableGauge(
            "portico.replay.disk.bytes", () => replays().DiskBytes, "By", "Size of the files that they are kept in");
        meter.CreateObservableGauge(
            "portico.replay.disk.limit.bytes", () => replays().MostDiskBytes, "By", "Size that those files may have");
        meter.CreateObservableCounter(
            "portico.replay.unsaved", () => replays().Unsaved, "{item}",
            "Beginnings of clients that could not be written to the files");
    }

    private static IEnumerable<Measurement<long>> PerListener(IEnumerable<(string Listener, int Value)> values) =>
        values.Select(it => new Measurement<long>(it.Value, new KeyValuePair<string, object?>("listener", it.Listener)));

    // One measurement per label: readers that do not add up would keep the last loop's alone.
    private static IEnumerable<Measurement<long>> Summed<TCounters, TKey>(
        IEnumerable<TCounters> loops, string label, Func<TCounters, TKey> key, Func<TCounters, long> value) =>
        loops.GroupBy(key).Select(group => new Measurement<long>(group.Sum(value), new KeyValuePair<string, object?>(label, group.Key)));

    private static IEnumerable<Measurement<long>> Open(IGrouping<string, ListenerCounters> listener)
    {
        var (open, relaying, cover) = (
            listener.Sum(loop => loop.Open), listener.Sum(loop => loop.Relaying), listener.Sum(loop => loop.Cover));
        yield return new(open - relaying - cover, new("listener", listener.Key), new("state", "handshake"));
        yield return new(relaying, new("listener", listener.Key), new("state", "relaying"));
        yield return new(cover, new("listener", listener.Key), new("state", "cover"));
    }
}
