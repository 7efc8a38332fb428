using System.Diagnostics.Metrics;

namespace Portico.Core.Tests.Staging;

/// <summary>Reads one proxy's instruments as an exporter would, and is the factory of its meter.</summary>
internal sealed class MetricProbe : IMeterFactory
{
    private readonly List<Meter> _meters = [];
    private readonly List<Measured> _measured = [];
    private readonly MeterListener _listener = new();

    public MetricProbe()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (_meters.Contains(instrument.Meter)) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>Reason and side of every session that ended, in order.</summary>
    public IEnumerable<string> Closed => Of("portico.connections.closed").Select(m => $"{m.Tags["reason"]} ({m.Tags["side"]})");

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public IEnumerable<Measured> Of(string instrument) => _measured.Where(m => m.Instrument == instrument);

    /// <summary>Sum over the measurements whose tag has this value.</summary>
    public double Sum(string instrument, string tag, object value) =>
        Of(instrument).Where(m => Equals(m.Tags.GetValueOrDefault(tag), value)).Sum(m => m.Value);

    /// <summary>What an observable instrument shows now: sum over its measurements, or over those with the tag.</summary>
    public double Observe(string instrument, string? tag = null, object? value = null)
    {
        _measured.RemoveAll(m => m.Instrument == instrument);
        _listener.RecordObservableInstruments();
        return tag is null ? Of(instrument).Sum(m => m.Value) : Sum(instrument, tag, value!);
    }

    /// <summary>From now on nobody listens, as in production without an exporter.</summary>
    public void Stop() => _listener.Dispose();

    public void Dispose()
    {
        _listener.Dispose();
        foreach (var meter in _meters) meter.Dispose();
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var copy = new Dictionary<string, object?>();
        foreach (var (name, content) in tags) copy[name] = content;
        _measured.Add(new Measured(instrument.Name, value, copy));
    }
}

internal sealed record Measured(string Instrument, double Value, IReadOnlyDictionary<string, object?> Tags);
