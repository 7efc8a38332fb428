using System.Collections.Immutable;
using Portico.Core.Options;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;

namespace Portico.IntegrationTests.Cover;

/// <summary>
/// The same cover behind a proxy of every kind that a prober must not be able to tell from it:
/// each engine, with listeners for fake TLS alone and for everything.
/// </summary>
internal sealed class CoveredProxies : IAsyncDisposable
{
    private CoveredProxies(ImmutableArray<(string, ProxyUnderTest)> all) => All = all;

    /// <summary>With what to call them when one differs.</summary>
    public ImmutableArray<(string Name, ProxyUnderTest Proxy)> All { get; }

    /// <summary>Starts them.</summary>
    /// <param name="cover">What their strangers see.</param>
    /// <param name="change">What else differs from the defaults.</param>
    /// <param name="everyListener">Listeners of both kinds; else those for fake TLS alone.</param>
    public static CoveredProxies Start(CoverServer cover, Func<ProxySettings, ProxySettings>? change = null, bool everyListener = false)
    {
        var proxies =
            from engine in Engines.Kinds
            from protocols in everyListener
                ? (ClientProtocols[])[ClientProtocols.FakeTls, ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic]
                : [ClientProtocols.FakeTls]
            select (
                $"{engine}, {protocols}",
                ProxyUnderTest.Start(engine, settings => Covered(change?.Invoke(settings) ?? settings, cover, protocols)));
        return new CoveredProxies([.. proxies]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, proxy) in All)
            await proxy.DisposeAsync();
    }

    private static ProxySettings Covered(ProxySettings settings, CoverServer cover, ClientProtocols protocols) => settings with
    {
        Cover = cover.Settings,
        Listeners = [settings.Listeners[0] with { Protocols = protocols }],
    };
}
