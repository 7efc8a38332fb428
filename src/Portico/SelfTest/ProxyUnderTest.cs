using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Hosting;
using Portico.Protocol.Secrets;

namespace Portico.SelfTest;

/// <summary>This proxy as a server runs it, on a free port of loopback, with a Telegram that is ours.</summary>
internal sealed class ProxyUnderTest : IAsyncDisposable
{
    // Two, so that the kernel has listeners to choose from and more than one loop does the work.
    private const int Loops = 2;

    private readonly ProcessMeters _meters;
    private readonly PorticoProxy _proxy;

    private ProxyUnderTest(ProcessMeters meters, PorticoProxy proxy, ProxySecret secret)
    {
        _meters = meters;
        _proxy = proxy;
        Secret = secret;
    }

    /// <summary>Who knows it is a client.</summary>
    public ProxySecret Secret { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => _proxy.Endpoints[0];

    /// <summary>Starts one with every protocol allowed.</summary>
    /// <param name="engine">Who waits for sockets.</param>
    /// <param name="backend">Its clients' way to Telegram.</param>
    /// <param name="telegram">What is at the end of both ways.</param>
    /// <exception cref="ListenException">The engine does not exist here, or loopback has no free port.</exception>
    public static ProxyUnderTest Start(EngineKind engine, BackendUnderTest backend, StandInTelegram telegram)
    {
        var secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
        var meters = new ProcessMeters();
        var settings = new ProxySettings
        {
            Listeners =
            [
                new ListenerSettings
                {
                    Name = "selftest",
                    Address = new IPEndPoint(IPAddress.Loopback, 0),
                    Credentials = [new Credential("selftest", secret, backend.AdTag)],
                    Protocols = ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic,
                },
            ],
            Mode = BackendMode.Auto,
            Direct = telegram.Direct with { PassThrough = backend.PassThrough },
            Middle = telegram.Middle,
            TimeWindow = new TimeWindowSettings(),
            Timeouts = new TimeoutSettings(),
            // One of its own: what one has seen is nothing to the next.
            DataDirectory = Directory.CreateDirectory(Path.Combine(telegram.Directory, Path.GetRandomFileName())).FullName,
            Engine = engine,
            Loops = Loops,
        };
        return new ProxyUnderTest(
            meters,
            PorticoProxy.Start(settings, NullLoggerFactory.Instance, meters, TimeProvider.System),
            secret);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _meters.Dispose();
    }
}
