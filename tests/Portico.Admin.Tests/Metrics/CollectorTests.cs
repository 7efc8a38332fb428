using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Portico.Admin.Metrics;
using Portico.Core.Options;
using Xunit;

namespace Portico.Admin.Tests.Metrics;

public sealed class CollectorTests
{
    private static ProxySettings Settings(AdminSettings admin, Uri? collector) => new()
    {
        Listeners = [],
        Direct = new(),
        TimeWindow = new(),
        Timeouts = new(),
        Admin = admin,
        Telemetry = new() { Otlp = collector },
    };

    [Fact]
    public void Where_nobody_would_read_nothing_is_collected() => Assert.Null(MetricsExport.Begin(Settings(new(), null)));

    [Fact]
    public async Task A_collector_gets_what_was_counted_at_the_latest_at_the_end()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var meter = new Meter("Portico");
        var export = MetricsExport.Begin(Settings(new(), new Uri($"http://{listener.LocalEndpoint}/v1/metrics")))!;
        meter.CreateCounter<long>("portico.test.things").Add(7);
        var received = ReceiveAsync(listener);
        await Task.Factory.StartNew(
            export.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        var request = await received.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.StartsWith("POST /v1/metrics HTTP/1.1", request, StringComparison.Ordinal);
        Assert.Contains("application/x-protobuf", request, StringComparison.Ordinal);
        Assert.Contains("portico.test.things", request, StringComparison.Ordinal);
    }

    private static async Task<string> ReceiveAsync(TcpListener listener)
    {
        using var caller = await listener.AcceptTcpClientAsync();
        var (text, piece) = (new StringBuilder(), new byte[65536]);
        while (!text.ToString().Contains("portico.test.things", StringComparison.Ordinal))
        {
            var count = await caller.GetStream().ReadAsync(piece);
            if (count == 0) break;
            text.Append(Encoding.Latin1.GetString(piece, 0, count));
        }

        await caller.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        return text.ToString();
    }
}
