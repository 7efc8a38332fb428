using Portico.Core.Net;
using Portico.IntegrationTests.MiddleProxy;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Backends;

/// <summary>A data centre to which the way is gone.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class VanishedDcTests(ITestOutputHelper output) : VanishedWay(output)
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_client_whose_request_is_under_way_is_ended_within_35_seconds(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, behaviour: new DcBehaviour { NeverReads = true });
        await using var client = await test.GreetAsync(ClientKind.Intermediate.Profile());
        await AssertEndedAsync(engine, client);
    }
}
