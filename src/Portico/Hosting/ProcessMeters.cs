using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Portico.Hosting;

/// <summary>Makes meters, which end with it.</summary>
internal sealed class ProcessMeters : IMeterFactory
{
    private readonly ConcurrentBag<Meter> _meters = [];

    /// <inheritdoc/>
    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    /// <summary>Ends all of them.</summary>
    public void Dispose()
    {
        foreach (var meter in _meters) meter.Dispose();
    }
}
