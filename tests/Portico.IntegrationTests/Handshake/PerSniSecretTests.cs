using System.Text;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Handshake;

/// <summary>A secret of its own for each domain (spec/02 section 9).</summary>
public sealed class PerSniSecretTests
{
    private const string Salt = "a text of our own";

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Only_the_secret_derived_for_the_name_opens(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, WithSalt);
        foreach (var domain in new[] { "alice.example.com", "bob.example.com" })
        {
            await using var client = await test.GreetAsync(new ClientProfile { Domain = domain, Secret = Derived(test, domain) });
            await client.EchoAsync(1000);
        }
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await StrangerClient.CallAsync(test.Endpoint, Hello(test.Secret, "alice.example.com")));
        Assert.Equal(
            Received.Nothing(PeerEnd.Fin),
            await StrangerClient.CallAsync(test.Endpoint, Hello(Derived(test, "bob.example.com"), "alice.example.com")));
        await test.UntilProtocolErrorAsync(ProtocolError.TlsInvalidDigest, 2);

        await using var plain = await test.GreetAsync(new ClientProfile { Mode = ClientMode.Secure });  // not derived
        await plain.EchoAsync(1000);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_hello_without_a_name_gets_the_alert(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, WithSalt);
        var hello = HelloBytes.Without(Hello(test.Secret, "www.example.org"), 0, test.Secret, Now);
        Assert.Equal(new Received(TlsAlert.DecodeError.ToArray(), PeerEnd.Fin), await StrangerClient.CallAsync(test.Endpoint, hello));
        await test.UntilProtocolErrorAsync(ProtocolError.TlsNoSni);
    }

    private static uint Now => (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private static ProxySettings WithSalt(ProxySettings settings) => settings with { PerSni = PerSniSettings.Of(Salt) };

    private static ProxySecret Derived(ProxyUnderTest test, string domain) =>
        PerSniSecret.Derive(Encoding.UTF8.GetBytes(Salt), test.Secret, Encoding.ASCII.GetBytes(domain));

    private static byte[] Hello(ProxySecret secret, string domain) => HelloBytes.Create(secret, domain, Now);
}
