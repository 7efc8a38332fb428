using Portico.Core.Net;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Cover.Learning;

/// <summary>Flights of a proxy beside those of servers that are not nginx, hello by hello.</summary>
[Trait(Suite.Trait, Suite.Long)]
public sealed class OtherRealCoverTests : RealCover
{
    [ToolTheory(HaproxyCover.Program)]
    [InlineData(EngineKind.Sockets)]
    public async Task Beside_HAProxy_every_offer_gets_the_same_answer(EngineKind engine)
    {
        await using var cover = await HaproxyCover.StartAsync(TimeSpan.FromSeconds(60));
        await CompareAsync(engine, cover.Endpoint);
    }

    [ToolTheory(OpensslCover.Program)]
    [InlineData(EngineKind.Sockets, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", true)]
    [InlineData(EngineKind.Sockets, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256", false)]
    public async Task Beside_openssl_every_offer_gets_the_same_answer(EngineKind engine, string suites, bool prefersItsOwn)
    {
        await using var cover = await OpensslCover.StartAsync(["-ciphersuites", suites, .. prefersItsOwn ? (string[])["-serverpref"] : []]);
        await CompareAsync(engine, cover.Endpoint);
    }
}
