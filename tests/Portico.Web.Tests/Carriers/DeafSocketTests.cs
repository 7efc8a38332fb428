using System.Diagnostics;
using System.Net;
using Portico.IntegrationTests;
using Portico.TestKit.Web;
using Portico.Web.Tests.Staging;
using Xunit;
using Xunit.Abstractions;

namespace Portico.Web.Tests.Carriers;

/// <summary>
/// A WebSocket whose other end takes nothing of a download and talks all the time: it is no silence that would end it, and what was
/// written to it would be kept for ever.
/// </summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class DeafSocketTests(ITestOutputHelper output)
{
    private const byte Binary = 0x82, Ping = 0x89;

    private static readonly TimeSpan TooLong = TimeSpan.FromSeconds(90);

    [Fact]
    public Task An_app_that_asks_and_never_reads_is_gone_after_half_a_minute() => DownloadAsync(HttpVersion.Version11);

    [Fact]
    public Task So_it_is_over_HTTP_2() => DownloadAsync(HttpVersion.Version20);

    private async Task DownloadAsync(Version version)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = version == HttpVersion.Version20 });
        using var client = host.Client(version);
        await client.EnterAsync();
        using var socket = await RawWebSocket.OpenAsync(host, client.SessionToken, version);
        await socket.Stream.WriteAsync(RawWebSocket.Frame(Binary, [.. AppFrame.Open(1), .. AppFrame.Data(1, "pour"u8)]));
        // Something of the download has come, and nothing is read any more.
        await socket.Stream.ReadExactlyAsync(new byte[100]);

        var watch = Stopwatch.StartNew();
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (host.Sessions.Count > 0 && watch.Elapsed < TooLong)
        {
            await pace.WaitForNextTickAsync();
            await TryPingAsync(socket.Stream);
        }

        output.WriteLine($"gone after {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.InRange(watch.Elapsed.TotalSeconds, 25, 60);
    }

    private static async Task TryPingAsync(Stream stream)
    {
        try
        {
            await stream.WriteAsync(RawWebSocket.Frame(Ping, []));
        }
        catch (IOException)
        {
            // it was ended
        }
    }
}
