using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Portico.IntegrationTests;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Carriers;

/// <summary>A body that keeps coming, and does not end.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class SlowBodyTests
{
    [Fact]
    public async Task Frames_that_are_not_there_after_half_a_minute_are_refused_and_the_session_lives()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        using var visitor = new TcpClient();
        await visitor.ConnectAsync((IPEndPoint)host.Server.Address);
        var stream = visitor.GetStream();
        var watch = Stopwatch.StartNew();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/v1/up HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nAuthorization: Bearer {client.SessionToken}\r\n"
            + "Content-Type: application/octet-stream\r\nX-Up-Seq: 1\r\nContent-Length: 1000000\r\n\r\n"));
        var answered = stream.ReadAsync(new byte[12]).AsTask();
        // Faster than what any server would take for dead.
        while (!answered.IsCompleted && watch.Elapsed < TimeSpan.FromSeconds(30) + Wire.Patience)
        {
            await stream.WriteAsync(new byte[1000]);
            await Task.WhenAny(answered, Task.Delay(TimeSpan.FromSeconds(1)));
        }

        Assert.Equal(12, await answered);
        Assert.InRange(watch.Elapsed.TotalSeconds, 29, 40);
        using var taken = await client.PostAsync(1, TestKit.Web.AppFrame.Open(1));
        Assert.Equal(HttpStatusCode.NoContent, taken.StatusCode);
    }
}
