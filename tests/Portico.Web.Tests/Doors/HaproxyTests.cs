using System.Net;
using Portico.IntegrationTests;
using Portico.Protocol.WebProxy;
using Portico.TestKit;
using Portico.TestKit.Covers;
using Portico.TestKit.Web;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Doors;

/// <summary>What docs/web-proxy.md gives to copy for HAProxy in front, as it stands there: every carrier goes through it.</summary>
public sealed class HaproxyTests
{
    public static TheoryData<Way> OverTls => [Way.Tls, Way.Http2];

    [ToolTheory(HaproxyCover.Program)]
    [MemberData(nameof(OverTls))]
    public async Task Frames_travel_both_ways_through_the_documents_example(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(
            new HostSetup { Change = settings => settings with { Trusted = [IPNetwork.Parse("127.0.0.0/8")] } });
        await using var front = await HaproxyCover.StartAsync(WebHostUnderTest.Host, haproxy => Example(haproxy, host));
        foreach (var carrier in Enum.GetValues<WebCarrier>())
        {
            using var client = new PagelessClient(front.Endpoint, host.BridgeUrl, way.Version(), isTls: true);
            await client.EnterAsync();
            using var frames = PagelessCarrier.Of(carrier, client);
            var large = new byte[WebFrameHeader.MaxPayload];
            await frames.SendAsync(1, AppFrame.Open(1), AppFrame.Data(1, "hello"u8));
            Assert.Equal("hello"u8.ToArray(), await frames.ReadAsync(1, 5));
            await frames.SendAsync(1, AppFrame.Data(1, large));
            Assert.Equal(large, await frames.ReadAsync(1, large.Length));
        }

        // HAProxy said whose each connection was, and said it once.
        Assert.Equal(Enum.GetValues<WebCarrier>().Length, host.Echo.Clients.Count);
        Assert.DoesNotContain(host.Logs.Lines, line => line.EventName == "WebForwardedForUnclear");
    }

    private static string Example(HaproxyCover haproxy, WebHostUnderTest host) => "global\n    nbthread 1\n"
        + DocumentExamples.Block("docs/web-proxy.md", "haproxy")
            .With(":443 ", $"{haproxy.Endpoint} ")
            .With("/etc/haproxy/www.example.org.pem", haproxy.BothFile)
            .With("127.0.0.1:8080", $"{host.Server.Address}");
}
