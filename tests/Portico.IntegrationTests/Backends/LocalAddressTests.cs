using System.Net;
using Portico.Core.Net;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Backends;

public sealed class LocalAddressTests
{
    private static readonly ProxySecret Other = ProxySecret.Create("some other bytes"u8);
    private static readonly IPAddress First = IPAddress.Parse("127.0.0.2"), Second = IPAddress.Parse("127.0.0.3");

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Visits_to_a_cover_are_made_from_each_in_turn(EngineKind engine)
    {
        await using var site = CoverSite.Start();
        await using var test = ProxyUnderTest.Start(
            engine, settings => site.Settings()(settings) with { LocalAddresses = [First, Second] });
        var hello = HelloBytes.Create(Other, "www.example.org", (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        var seen = new List<IPAddress>();
        for (var i = 0; i < 4; i++)
        {
            await using var stranger = await Wire.ConnectAsync(test.Endpoint);
            await stranger.SendAsync(hello);
            await using var visit = await site.NextVisitAsync();
            seen.Add(visit.Remote.Address);
        }

        Assert.Equal([First, First, Second, Second], seen.OrderBy(address => address.ToString()));
    }
}
