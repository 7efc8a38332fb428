using System.Diagnostics;
using System.Net;
using Portico.IntegrationTests;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Carriers;

/// <summary>A WebSocket whose other end says nothing any more.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class SilentSocketTests
{
    private const byte Ping = 0x89;

    [Fact]
    public Task It_is_asked_after_a_while_and_given_up_after_another() => AskAsync(HttpVersion.Version11);

    [Fact]
    public Task So_it_is_over_HTTP_2() => AskAsync(HttpVersion.Version20);

    private static async Task AskAsync(Version version)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = version == HttpVersion.Version20 });
        using var client = host.Client(version);
        await client.EnterAsync();
        using var socket = await RawWebSocket.OpenAsync(host, client.SessionToken, version);
        using var clock = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        var buffer = new byte[4096];

        var watch = Stopwatch.StartNew();
        Assert.NotEqual(0, await socket.Stream.ReadAsync(buffer, clock.Token));
        Assert.Equal(Ping, buffer[0]);
        Assert.InRange(watch.Elapsed.TotalSeconds, 20, 35);
        while (await ReadAsync(socket.Stream, buffer, clock.Token) > 0)
        {
        }

        Assert.InRange(watch.Elapsed.TotalSeconds, 40, 75);
    }

    // What is cut off may end either way.
    private static async Task<int> ReadAsync(Stream stream, byte[] buffer, CancellationToken cancel)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancel);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
