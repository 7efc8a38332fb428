using Portico.Core.Net;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Handshake;

/// <summary>Users with a domain of their own, which no hello for another name is tried with.</summary>
public sealed class UserDomainTests
{
    private static readonly ProxySecret Hers = ProxySecret.Create("hers hers hers !"u8);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_user_comes_in_by_the_own_domain_only_and_costs_strangers_nothing(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, settings => settings with
        {
            Listeners =
            [
                settings.Listeners[0] with
                {
                    Credentials = [.. settings.Listeners[0].Credentials, new Credential("her", Hers, Domain: "her.example.org")],
                },
            ],
        });
        Assert.Equal(1, test.Metrics.Value("portico_stranger_trials", ("listener", ProxyUnderTest.Listener)));

        await using (var client = await test.GreetAsync(new ClientProfile { Secret = Hers, Domain = "her.example.org" }))
            await client.EchoAsync(1000);
        await using (var client = await test.GreetAsync(new ClientProfile { Domain = "her.example.org" }))
            await client.EchoAsync(1000); // the listener's own secret has no domain
        await using var elsewhere = await test.ConnectAsync(new ClientProfile { Secret = Hers, Domain = "www.example.org" });
        await Assert.ThrowsAsync<PeerSurpriseException>(elsewhere.GreetAsync);
        await test.UntilProtocolErrorAsync(Protocol.ProtocolError.TlsInvalidDigest);
    }
}
