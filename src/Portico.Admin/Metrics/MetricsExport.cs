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
            .AddMeter("Portico", UserMeters.MeterName, "System.Runtime");
        // Prometheus keeps the ending of these names for histograms, and nobody asks for them.
        foreach (var unwanted in (string[])["dotnet.assembly.count", "dotnet.process.cpu.count", "dotnet.timer.count"])
            builder.AddView(unwanted, MetricStreamConfiguration.Drop);
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

    /// <summary>Sends what a collector has not had yet, for a second at most, and ends.</summary>
    public void Dispose()
    {
        const int PatienceMs = 1000;
        Provider.Shutdown(PatienceMs);
        Provider.Dispose();
    }
}
