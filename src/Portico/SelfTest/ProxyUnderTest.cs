using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core;
using Portico.Core.Options;
using Portico.Protocol.Secrets;

namespace Portico.SelfTest;

/// <summary>This proxy as a server runs it, on a free port of loopback, with a data centre that is ours.</summary>
internal sealed class ProxyUnderTest : IAsyncDisposable
{
    // Two, so that the kernel has listeners to choose from and more than one loop does the work.
    private const int Loops = 2;

    private static readonly int[] KnownDcs = [1, 2, 3, 4, 5, 203, 10001, 10002, 10003];

    private readonly ServiceProvider _services;
    private readonly PorticoProxy _proxy;

    private ProxyUnderTest(ServiceProvider services, PorticoProxy proxy, ProxySecret secret)
    {
        _services = services;
        _proxy = proxy;
        Secret = secret;
    }

    /// <summary>Who knows it is a client.</summary>
    public ProxySecret Secret { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => _proxy.Endpoints[0];

    /// <summary>Starts one with every protocol allowed.</summary>
    /// <exception cref="ListenException">The engine does not exist here, or loopback has no free port.</exception>
    public static ProxyUnderTest Start(EngineKind engine, bool passThrough, IPEndPoint dc)
    {
        var secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
        var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var settings = new ProxySettings
        {
            Listeners =
            [
                new ListenerSettings
                {
                    Name = "selftest",
                    Address = new IPEndPoint(IPAddress.Loopback, 0),
                    Credentials = [new Credential("selftest", secret)],
                    Protocols = ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic,
                },
            ],
            Direct = new DirectSettings { Endpoints = KnownDcs.ToImmutableDictionary(id => id, _ => ImmutableArray.Create(dc)), PassThrough = passThrough },
            TimeWindow = new TimeWindowSettings(),
            Timeouts = new TimeoutSettings(),
            Engine = engine,
            Loops = Loops,
        };
        return new ProxyUnderTest(services, PorticoProxy.Start(settings, NullLoggerFactory.Instance, services.GetRequiredService<IMeterFactory>(), TimeProvider.System), secret);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _services.DisposeAsync();
    }
}
