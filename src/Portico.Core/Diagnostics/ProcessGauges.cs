using System.Diagnostics.Metrics;
using Portico.Core.Net;

namespace Portico.Core.Diagnostics;

/// <summary>What the process takes of its machine. Asked for when somebody reads, and nothing is kept in between.</summary>
internal static class ProcessGauges
{
    // Collections of an older generation count for the younger ones too; the label says which was the oldest.
    private static readonly string[] Generations = ["0", "1", "2"];

    private static readonly long StartSeconds = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>As instruments of the meter.</summary>
    public static void Publish(Meter meter)
    {
        meter.CreateObservableGauge(
            "portico.descriptors", () => Math.Max(0, ProcessLimits.OpenDescriptors()), "{descriptor}", "Descriptors that are open");
        meter.CreateObservableGauge(
            "portico.descriptors.limit", () => DescriptorReserve.Limit() is var limit and < long.MaxValue ? limit : 0, "{descriptor}",
            "Descriptors that may be open; 0 = any number");
        meter.CreateObservableCounter("portico.process.cpu", CpuSeconds, "s", "Time of the processors that the process took, by mode");
        meter.CreateObservableGauge("portico.process.resident", () => Environment.WorkingSet, "By", "Resident memory of the process");
        meter.CreateObservableGauge(
            "portico.process.threads", () => Math.Max(0, ProcessLimits.Threads()), "{thread}", "Threads of the process");
        meter.CreateObservableGauge("portico.process.start.time", () => StartSeconds, "s", "When the process began, in Unix time");
        meter.CreateObservableCounter(
            "portico.gc.collections", Collections, "{collection}", "Garbage collections, by the oldest generation collected");
        meter.CreateObservableCounter(
            "portico.gc.pause", () => GC.GetTotalPauseDuration().TotalSeconds, "s", "Time that collections kept threads waiting");
        meter.CreateObservableGauge("portico.gc.heap", () => GC.GetTotalMemory(false), "By", "Objects on the heap, dead ones included");
    }

    private static IEnumerable<Measurement<double>> CpuSeconds()
    {
        var usage = Environment.CpuUsage;
        yield return new(usage.UserTime.TotalSeconds, new KeyValuePair<string, object?>("mode", "user"));
        yield return new(usage.PrivilegedTime.TotalSeconds, new KeyValuePair<string, object?>("mode", "system"));
    }

    private static IEnumerable<Measurement<long>> Collections()
    {
        for (var generation = 0; generation < Generations.Length; generation++)
        {
            var older = generation + 1 < Generations.Length ? GC.CollectionCount(generation + 1) : 0;
            yield return new(
                GC.CollectionCount(generation) - older, new KeyValuePair<string, object?>("generation", Generations[generation]));
        }
    }
}
