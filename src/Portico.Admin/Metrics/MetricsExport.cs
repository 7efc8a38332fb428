using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using Portico.Core.Options;

namespace Portico.Admin.Metrics;

/// <summary>
/// Collects what the meters of this process count, for /metrics and for a collector. To be made before the proxy: what was counted before
/// is not in it.
/// </summary>
public sealed class MetricsExport : IDisposable
{
    private const int OtlpPeriodMs = 60_000;

    private const string Meter = "Portico", Runtime = "System.Runtime";

    // The library makes room for 2000 combinations of labels of each instrument at once: 9 MB, of which nearly all stays empty.
    private const int FewLabels = 200;

    private MetricsExport(MeterProvider provider) => Provider = provider;

    /// <summary>For the endpoint.</summary>
    internal MeterProvider Provider { get; }

    /// <summary>Begins to collect; null if nobody would read it.</summary>
    /// <param name="settings">Whether /metrics is there, and where else metrics go.</param>
    public static MetricsExport? Begin(ProxySettings settings)
    {
        var isServed = settings.Admin.Address is not null || !settings.Admin.Sockets.IsEmpty;
        if (!isServed && settings.Telemetry.Otlp is null) return null;
        var builder = Sdk.CreateMeterProviderBuilder()
            .AddMeter(Meter, UserMeters.MeterName, Runtime)
            .AddView(ViewOf);
        if (isServed)
        {
            builder.AddPrometheusExporter(options =>
            {
                // Which library counted is the same for all, and in no query.
                options.ScopeInfoEnabled = false;
                options.TargetInfoEnabled = false;
            });
        }

        if (settings.Telemetry.Otlp is { } collector)
        {
            builder.AddOtlpExporter((options, reader) =>
            {
                (options.Endpoint, options.Protocol) = (collector, OtlpExportProtocol.HttpProtobuf);
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = OtlpPeriodMs;
            });
        }

        return new MetricsExport(builder.Build());
    }

    // Null: as the library has it, which is for those whose labels are listeners and reasons, or users.
    private static MetricStreamConfiguration? ViewOf(Instrument instrument) => (instrument.Meter.Name, instrument.Name) switch
    {
        // Prometheus keeps the ending of these names for histograms, and nobody asks for them.
        (Runtime, "dotnet.assembly.count" or "dotnet.process.cpu.count" or "dotnet.timer.count") => MetricStreamConfiguration.Drop,
        (Runtime, _) => new MetricStreamConfiguration { CardinalityLimit = FewLabels },
        (Meter, "portico.connections.closed" or "portico.protocol.error" or "portico.migrations") => null,
        (Meter, _) => new MetricStreamConfiguration { CardinalityLimit = FewLabels },
        _ => null,
    };

    /// <summary>Sends what a collector has not had yet, for a second at most, and ends.</summary>
    public void Dispose()
    {
        const int PatienceMs = 1000;
        Provider.Shutdown(PatienceMs);
        Provider.Dispose();
    }
}
