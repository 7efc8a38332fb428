using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Net.WebSockets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests;

/// <summary>Nothing that somebody shows us is written anywhere: whoever reads logs, traces or metrics could be that somebody.</summary>
public sealed class SecrecyTests
{
    private const string Marked = "marked-by-the-test";

    [Fact]
    public async Task No_log_trace_or_metric_has_a_credential_a_target_a_header_or_a_byte_of_a_frame()
    {
        using var traces = new Traces();
        var credentials = new ConcurrentBag<string> { WebHostUnderTest.SecretHex };
        var lines = new List<string>();
        await using var site = new RecordingSite();
        foreach (var way in Enum.GetValues<Way>())
        {
            foreach (var behind in new Uri?[] { null, site.Address, new("http://127.0.0.1:1") })
            {
                var setup = new HostSetup { IsTls = way.IsTls(), Change = settings => settings with { SiteUpstream = behind } };
                await using var host = await WebHostUnderTest.StartAsync(setup);
                foreach (var carrier in Enum.GetValues<WebCarrier>())
                    await CarryAsync(host, way, carrier, credentials);
                await AnnoyAsync(host, way, credentials);
                await host.Sessions.CloseAsync();
                await host.Server.DisposeAsync();
                lines.AddRange(host.Logs.Lines.Select(line => line.ToString()));
                var labels = host.Metrics.Labels();
                Assert.Contains(("reason", "web_deleted"), labels);
                lines.AddRange(labels.Select(label => $"{label.Name}={label.Value}"));
            }
        }

        Assert.NotEmpty(lines);
        Assert.True(credentials.Count > 30);
        Assert.NotEmpty(traces.Lines);
        lines.AddRange(traces.Lines);
        foreach (var line in lines)
        {
            var plain = Uri.UnescapeDataString(line);
            Assert.DoesNotContain(credentials, credential => plain.Contains(credential, StringComparison.OrdinalIgnoreCase));
            Assert.DoesNotContain(Marked, plain, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("bridge=", plain, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("tproxy", plain, StringComparison.OrdinalIgnoreCase);
        }
    }

    // An app's whole life.
    private static async Task CarryAsync(WebHostUnderTest host, Way way, WebCarrier kind, ConcurrentBag<string> credentials)
    {
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        foreach (var credential in new[] { WebHostUnderTest.Capability, client.Bootstrap, client.SessionToken })
            credentials.Add(credential);
        using (var carrier = PagelessCarrier.Of(kind, client))
        {
            var payload = System.Text.Encoding.ASCII.GetBytes(Marked);
            await carrier.SendAsync(1, AppFrame.Open(1), AppFrame.Data(1, payload));
            await carrier.ReadAsync(1, payload.Length);
            // The end of a session by what is wrong with it.
            if (kind is WebCarrier.Https)
                (await client.PostAsync(7, [.. AppFrame.Data(1, payload)])).Dispose();
        }

        (await client.DeleteAsync()).Dispose();
        (await client.DeleteAsync()).Dispose();
    }

    // Requests that are nearly right, and some that no server understands.
    private static async Task AnnoyAsync(WebHostUnderTest host, Way way, ConcurrentBag<string> credentials)
    {
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        credentials.Add(client.Bootstrap);
        credentials.Add(client.SessionToken);
        foreach (var target in new[] { $"/?bridge={WebHostUnderTest.Capability}&{Marked}", $"/{client.SessionToken}/{Marked}" })
        {
            using var request = client.Request(HttpMethod.Get, target, client.SessionToken);
            request.Headers.Add("Referer", $"https://{WebHostUnderTest.Host}/?bridge={WebHostUnderTest.Capability}");
            request.Headers.Add("X-Marked", Marked);
            (await client.SendAsync(request)).Dispose();
        }

        using (await client.OpenSocketAsync())
            await Assert.ThrowsAsync<WebSocketException>(() => client.OpenSocketAsync());
        if (way != Way.Plain) return;
        string[] broken =
        [
            $"GET /?bridge={WebHostUnderTest.Capability} {Marked} HTTP/1.1\r\n\r\n",
            $"GET /?bridge={WebHostUnderTest.Capability} HTTP/1.1\r\nHost: {Marked} {client.SessionToken}\r\n\r\n",
            $"GET / HTTP/1.1\r\nHost: x\r\n{client.SessionToken} {Marked}: x\r\n\r\n",
            $"GET / HTTP/1.1\r\nHost: x\r\nHost: {client.SessionToken}\r\n\r\n",
            $"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: {client.SessionToken}\r\n\r\n",
            $"{client.SessionToken}{Marked}\r\n\r\n",
        ];
        foreach (var request in broken) await RawHttp.AskAsync(host.Server.Address, request);
    }

    /// <summary>Whatever the runtime would tell a tracing tool in this process.</summary>
    private sealed class Traces : EventListener
    {
        // Those of the client's side are this test's own requests. Kestrel's own is for a profiler in the hands of this user, who could as
        // well read the memory; the native binary has none.
        private static readonly string[] Sources = ["Microsoft.AspNetCore.Hosting", "Yarp.ReverseProxy", "Microsoft-Extensions-Logging"];

        private readonly ActivityListener _activities;

        public Traces()
        {
            _activities = new ActivityListener
            {
                ShouldListenTo = source => source.Name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
                    || source.Name.StartsWith("Yarp", StringComparison.Ordinal),
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = activity => Lines.Enqueue(
                    $"{activity.DisplayName} {string.Join(' ', activity.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))}"),
            };
            ActivitySource.AddActivityListener(_activities);
        }

        public ConcurrentQueue<string> Lines { get; } = new();

        public override void Dispose()
        {
            base.Dispose();
            _activities.Dispose();
        }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (Sources.Contains(eventSource.Name))
                EnableEvents(eventSource, EventLevel.Verbose, EventKeywords.All);
        }

        // May come before the constructor has run.
        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            IEnumerable<object?> values = eventData.Payload ?? (IEnumerable<object?>)[];
            Lines?.Enqueue($"{eventData.EventSource.Name} {eventData.EventName} {string.Join(' ', values)}");
        }
    }
}
