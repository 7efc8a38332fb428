using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Diagnostics;

/// <summary>
/// Everything one proxy measures, under the names and labels that Prometheus will show.
/// Only meters of its own factory count, so that proxies of other tests do not mix in.
/// </summary>
public sealed class MetricsProbe : IMeterFactory
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentBag<Meter> _meters = [];
    private readonly Lock _lock = new();
    private readonly Dictionary<string, double> _events = [];
    private readonly List<(string Instrument, (string, string)[] Labels, double Value)> _observed = [];
    private readonly HashSet<(string Name, string Value)> _labels = [];
    private TaskCompletionSource _news = NewSignal();

    public MetricsProbe()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, this))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    /// <inheritdoc/>
    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    /// <summary>
    /// The sum over all series of <paramref name="name"/> that carry these labels. For a histogram the number of measurements.
    /// </summary>
    /// <param name="name">Prometheus name, for example portico_connections_closed_total.</param>
    /// <param name="labels">Labels that must be there; others do not matter.</param>
    public double Value(string name, params (string Name, string Value)[] labels)
    {
        lock (_lock)
        {
            _observed.Clear();
            _listener.RecordObservableInstruments();  // calls Record on this thread
            var seen = _observed.Where(item => item.Instrument == name && labels.All(item.Labels.Contains)).Sum(item => item.Value);
            var counted = _events.Where(item => IsSeries(item.Key, name, labels)).Sum(item => item.Value);
            return seen + counted;
        }
    }

    /// <summary>Every label that any measurement carried so far.</summary>
    public IReadOnlyCollection<(string Name, string Value)> Labels()
    {
        lock (_lock)
        {
            _observed.Clear();
            _listener.RecordObservableInstruments();
            return [.. _labels];
        }
    }

    /// <summary>Every series of events so far, for the message of a failing test.</summary>
    public string Describe()
    {
        lock (_lock)
            return string.Join("; ", _events.Select(item => string.Create(CultureInfo.InvariantCulture, $"{item.Key} {item.Value}")));
    }

    /// <summary>Waits until the value is exactly this; looks again whenever something is measured.</summary>
    /// <exception cref="PeerSurpriseException">It did not become so in time, or went past.</exception>
    public async Task UntilAsync(string name, double value, params (string Name, string Value)[] labels)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        while (true)
        {
            Task news;
            lock (_lock)
                news = _news.Task;
            if (Value(name, labels) == value)
                return;
            try
            {
                // what is only observed announces nothing: look again after a while
                await Task.WhenAny(news, Task.Delay(20, clock.Token));
                clock.Token.ThrowIfCancellationRequested();
            }
            catch (OperationCanceledException)
            {
                var wanted = string.Join(',', labels.Select(label => $"{label.Name}={label.Value}"));
                throw new PeerSurpriseException($"{name}{{{wanted}}} is {Value(name, labels)}, not {value}. All there is: {Describe()}");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        foreach (var meter in _meters)
            meter.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static bool IsSeries(string series, string name, (string Name, string Value)[] labels) =>
        series.StartsWith(name + "{", StringComparison.Ordinal)
        && labels.All(label => series.Contains($"{label.Name}=\"{label.Value}\"", StringComparison.Ordinal));

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new (string Name, string Value)[tags.Length];
        for (var i = 0; i < tags.Length; i++)
            labels[i] = (tags[i].Key, Convert.ToString(tags[i].Value, CultureInfo.InvariantCulture) ?? "");
        var name = PrometheusName(instrument);
        lock (_lock)
        {
            _labels.UnionWith(labels);
            if (instrument.IsObservable)
            {
                _observed.Add((name, labels, value));
                return;
            }
            var series = name + "{" + string.Join(',', labels.Select(label => $"{label.Name}=\"{label.Value}\"")) + "}";
            var isHistogram = instrument.GetType().GetGenericTypeDefinition() == typeof(Histogram<>);
            _events[series] = _events.GetValueOrDefault(series) + (isHistogram ? 1 : value);
            _news.TrySetResult();
            _news = NewSignal();
        }
    }

    /// <summary>
    /// Dots become underscores, the kind and, unless the name ends in it already,
    /// the unit are appended (docs of the Prometheus exposition of OpenTelemetry names).
    /// </summary>
    private static string PrometheusName(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            "By" => "_bytes",
            "s" => "_seconds",
            _ => "",
        };
        var type = instrument.GetType();
        var isCounter = type.IsGenericType
            && (type.GetGenericTypeDefinition() == typeof(Counter<>) || type.GetGenericTypeDefinition() == typeof(ObservableCounter<>));
        var name = instrument.Name.Replace('.', '_');
        return (name.EndsWith(unit, StringComparison.Ordinal) ? name : name + unit) + (isCounter ? "_total" : "");
    }
}
