using Portico.Core.Net;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>Clients that ask for much and read nothing.</summary>
[Collection(nameof(Siege))]
public sealed class DeafClientTests
{
    private const int Deaf = 20;
    private const int FrameSize = 65536;

    // Three times what the kernel may hold on both connections: 32 MB to be read, 4 MB to be sent on each.
    private const int Asked = 2048 * FrameSize;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Twenty_deaf_clients_cost_a_buffer_each_until_the_write_deadline_and_disturb_nobody(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(
            engine, settings => settings with { Timeouts = settings.Timeouts with { ClientWrite = TimeSpan.FromSeconds(1) } });
        var proxy = besieged.Proxy;
        var others = proxy.Telegram.Connections.Count;
        var deaf = new List<FakeClient>();
        for (var i = 0; i < Deaf; i++)
        {
            deaf.Add(await proxy.GreetAsync(receiveBuffer: 4096));
            await deaf[i].AskForAsync(Asked / FrameSize, FrameSize);
        }
        await using (var good = await proxy.GreetAsync())
        {
            await good.DownloadAsync(128, FrameSize);
            // one scratch area per session and direction is the most that may wait in the proxy
            Assert.InRange(besieged.Rented, 0, Deaf * BufferPool.LargestSize);
            await good.DownloadAsync(128, FrameSize);
        }

        await proxy.UntilClosedAsync("client_write_timeout", "client", Deaf);
        await proxy.Metrics.UntilAsync("portico_timeouts_total", Deaf, ("phase", "write"));
        foreach (var dc in proxy.Telegram.Connections.Skip(others).Take(Deaf))
        {
            Assert.NotEqual(PeerEnd.None, await dc.Ended);
            // what the kernel's buffers of two connections hold, and no more: Telegram was not read meanwhile
            Assert.InRange(dc.BytesSent, 1, Asked / 2);
        }
        foreach (var client in deaf)
            await client.DisposeAsync();
        await besieged.AssertUnharmedAsync();
    }
}
