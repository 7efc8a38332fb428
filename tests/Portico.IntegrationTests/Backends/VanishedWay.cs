using System.Diagnostics;
using System.Globalization;
using Portico.Core.Net;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Backends;

/// <summary>
/// Telegram takes no more bytes while a client's request is under way: to the proxy the same
/// as a way that is gone, since nothing is acknowledged. In classes of their own, which wait at the same time.
/// </summary>
public abstract class VanishedWay(ITestOutputHelper output)
{
    private const double MostSeconds = 35;

    // More than the kernel holds on the way: 4 MB to be sent and as much that was received.
    private const int Request = 64 * 1024, Requests = 400;

    /// <summary>Asks for more than goes, and is ended.</summary>
    protected async Task AssertEndedAsync(EngineKind engine, FakeClient client)
    {
        var asking = AskAsync();
        var began = Stopwatch.GetTimestamp();
        var (_, end) = await client.Wire.ReadSomeAsync(new byte[1], TimeSpan.FromSeconds(60));
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{engine}: {end} after {seconds:0.0} s"));
        Assert.True(end is PeerEnd.Fin or PeerEnd.Reset);
        Assert.InRange(seconds, 0, MostSeconds);
        client.Wire.Reset();
        await asking;

        async Task AskAsync()
        {
            try
            {
                for (var i = 0; i < Requests; i++) await client.SendAsync(TestFrame.Create(TestCommand.Echo, new byte[Request]));
            }
            catch (Exception error) when (error is System.Net.Sockets.SocketException or ObjectDisposedException)
            {
                // it was ended
            }
        }
    }
}
