using Portico.Core.Net;
using Portico.IntegrationTests.MiddleProxy;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Backends;

/// <summary>A middle proxy to which the way is gone.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class VanishedMiddleProxyTests(ITestOutputHelper output) : VanishedWay(output)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_whose_request_is_under_way_is_ended_within_35_seconds(EngineKind engine)
    {
        var gate = new Gate(isOpen: true);
        await using var test = ProxyUnderTest.StartMiddle(engine, behaviour: new MiddleBehaviour { Reading = gate, IsForgetful = true });
        await using var client = await test.GreetAsync(ClientKind.Intermediate.Profile());
        await client.EchoAsync(100); // the link was good
        gate.Close();
        await AssertEndedAsync(engine, client); // and the gate stays shut: behind it is half a packet
    }
}
