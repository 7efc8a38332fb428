using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Portico.Core.Diagnostics;
using Portico.Protocol;

namespace Portico.Core.Tests.Docs;

/// <summary>
/// Every metric under the name and with the labels that Prometheus shows: what the meters really publish and measure, not what a document
/// says of them.
/// </summary>
internal sealed class PublishedMetrics : IMeterFactory
{
    private readonly Dictionary<Instrument, HashSet<string>> _labels = [];
    private Meter? _meter;

    private PublishedMetrics()
    {
    }

    /// <summary>Each instrument of the proxy.</summary>
    public IEnumerable<Instrument> Instruments => _labels.Keys;

    /// <summary>One that was never measured here: its labels are not known.</summary>
    public HashSet<Instrument> Unmeasured { get; private set; } = [];

    /// <summary>Measures everything once.</summary>
    public static PublishedMetrics Read()
    {
        var published = new PublishedMetrics();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (!ReferenceEquals(instrument.Meter.Scope, published)) return;
                published._labels.Add(instrument, []);
                published.Unmeasured.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => published.Note(instrument, tags));
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => published.Note(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => published.Note(instrument, tags));
        listener.Start();
        Cause(new ProxyMetrics(published, new MetricSources
        {
            Listeners = () => [new ListenerCounters("main")],
            Dcs = () => [new DcCounters(2)],
            SessionLimits = () => [("main", 1)],
            StrangerTrials = () => [("main", 1)],
            Web = () => [new WebFigures("main", "https")],
            WebBytes = () => [new WebBytes("main", 1, 1)],
        }));
        listener.RecordObservableInstruments();
        published._meter!.Dispose();
        return published;
    }

    /// <summary>The labels of a series by its name in a query; null = there is no such series.</summary>
    public IReadOnlySet<string>? LabelsOf(string series)
    {
        foreach (var (instrument, labels) in _labels)
        {
            var name = PrometheusName(instrument);
            if (!instrument.GetType().Name.StartsWith("Histogram", StringComparison.Ordinal))
            {
                if (series == name) return labels;
                continue;
            }

            if (series == name + "_bucket") return new HashSet<string>(labels) { "le" };
            if (series == name + "_sum" || series == name + "_count") return labels;
        }

        return null;
    }

    /// <summary>The labels of an instrument.</summary>
    public IReadOnlySet<string> LabelsOf(Instrument instrument) => _labels[instrument];

    // The rules of the Prometheus text format for OpenTelemetry names:
    // unit, unless the name ends in it already, then what kind of number it is.
    public static string PrometheusName(Instrument instrument)
    {
        var kind = instrument.GetType().Name;
        var unit = instrument.Unit switch { "By" => "_bytes", "s" => "_seconds", _ => "" };
        var suffix = kind.Contains("Counter", StringComparison.Ordinal) ? "_total" : "";
        var name = instrument.Name.Replace('.', '_');
        return (name.EndsWith(unit, StringComparison.Ordinal) ? name : name + unit) + suffix;
    }

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        return _meter = new Meter(options);
    }

    public void Dispose() => _meter?.Dispose();

    // Whatever a proxy can tell, told once. An instrument that is forgotten here stays in Unmeasured, and a test says so.
    private static void Cause(ProxyMetrics metrics)
    {
        metrics.Accepted("main");
        metrics.Closed("main", CloseReason.IdleTimeout, 1);
        metrics.OverLimit("main");
        metrics.PolicyRefused(0, "inTable");
        metrics.EarlyEnd("main", EarlyEnd.NoBytes);
        metrics.ClientLost("main", CloseReason.ClientReset, 1);
        metrics.ProtocolOk("main", isFakeTls: true, Transport.Padded);
        metrics.ProtocolError("main", CloseReason.TlsTime);
        metrics.DcConnect(2, SocketError.ConnectionRefused);
        metrics.DcConnected(2, 1);
        metrics.Cover("main", "ok");
        metrics.Reloaded("applied");
        metrics.ClockDiffers(1);
        metrics.Migrated("main", 2, "ok");
        metrics.DcBackPressure(2, "count_total");
        metrics.DcBackPressureEnded(2, 1);
        metrics.PacketFromClient(1);
        metrics.PacketFromTelegram(1);
        metrics.ReplayEvicted(1, isInWindow: true);
        metrics.MemoryShed("client");
        metrics.AcceptPaused("main");
        metrics.ConfigUpdated("config", "ok");
        metrics.WebRefused("main", "pages");
        metrics.StorageError();
        metrics.Alert("dc_down", "sent");
        metrics.WebEnded("main", "web_grace");
        metrics.WebPage("main");
        metrics.WebWelcome("main", 1);
        metrics.WebAgain("main");
        metrics.WebRepeated("main", isUp: true);
    }

    private void Note(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Unmeasured.Remove(instrument);
        foreach (var (name, _) in tags) _labels[instrument].Add(name);
    }
}
