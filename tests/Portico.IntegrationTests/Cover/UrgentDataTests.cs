using Portico.Core.Net;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Cover;

/// <summary>
/// TCP's urgent data, which ends a read before there is nothing left to read.
/// A server that never asked for it does not see that byte.
/// </summary>
public sealed class UrgentDataTests
{
    private const int Times = 20, Cut = 200;

    private static readonly ProxySecret Other = ProxySecret.Create("some other bytes"u8);

    // Not on the portable engine: System.Net.Sockets tells nothing of urgent data, and a hello cut by it may stall there.
    [Theory]
    [InlineData(EngineKind.Epoll)]
    public async Task A_hello_with_an_urgent_byte_in_it_reaches_the_cover_every_time(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(engine, site.Settings());
        var hello = HelloBytes.Create(Other, "www.example.org", (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        for (var i = 0; i < Times; i++)
        {
            await using var stranger = await Wire.ConnectAsync(test.Endpoint);
            await SendWithUrgentByteAsync(stranger, hello);
            await using var visit = await site.NextVisitAsync();
            Assert.Equal(hello, await visit.ReadExactlyAsync(hello.Length));

            // And once more while it relays, from both sides.
            await SendWithUrgentByteAsync(stranger, hello);
            Assert.Equal(hello, await visit.ReadExactlyAsync(hello.Length));
            await SendWithUrgentByteAsync(visit, hello);
            Assert.Equal(hello, await stranger.ReadExactlyAsync(hello.Length));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_that_sends_an_urgent_byte_goes_on_relaying(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        for (var i = 0; i < Times; i++)
        {
            await using var client = await test.GreetAsync();
            await client.EchoAsync(100);
            await client.Wire.SendUrgentAsync(0);
            await client.EchoAsync(2000);
        }
    }

    private static async Task SendWithUrgentByteAsync(Wire wire, byte[] bytes)
    {
        await wire.SendAsync(bytes.AsMemory(0, Cut));
        await wire.SendUrgentAsync(0x55);
        await wire.SendAsync(bytes.AsMemory(Cut));
    }
}
