using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Hosting;
using Portico.Protocol.Secrets;
using Portico.Web;

namespace Portico.SelfTest;

/// <summary>This proxy as a server runs it, on free ports of loopback, with a Telegram that is ours.</summary>
internal sealed class ProxyUnderTest : IAsyncDisposable
{
    // Two, so that the kernel has listeners to choose from and more than one loop does the work.
    private const int Loops = 2;

    private readonly ProcessMeters _meters;
    private readonly PorticoProxy _proxy;
    private readonly WebHosts _hosts;

    private ProxyUnderTest(ProcessMeters meters, PorticoProxy proxy, WebHosts hosts, ProxySecret secret, WebHostUnderTest web)
    {
        _meters = meters;
        _proxy = proxy;
        _hosts = hosts;
        Secret = secret;
        Web = web;
        web.IsAt(hosts.Addresses[0]);
    }

    /// <summary>Who knows it is a client.</summary>
    public ProxySecret Secret { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => _proxy.Endpoints[0];

    /// <summary>Its WEB host, on another port.</summary>
    public WebHostUnderTest Web { get; }

    /// <summary>Starts one with every protocol allowed.</summary>
    /// <param name="engine">Who waits for sockets.</param>
    /// <param name="backend">Its clients' way to Telegram.</param>
    /// <param name="telegram">What is at the end of both ways.</param>
    /// <exception cref="ListenException">The engine does not exist here, or loopback has no free port.</exception>
    /// <exception cref="WebHostException">The WEB host cannot be opened.</exception>
    public static async Task<ProxyUnderTest> StartAsync(EngineKind engine, BackendUnderTest backend, StandInTelegram telegram)
    {
        var secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
        // One of its own: what one has seen is nothing to the next.
        var directory = Directory.CreateDirectory(Path.Combine(telegram.Directory, Path.GetRandomFileName())).FullName;
        var web = new WebHostUnderTest(directory, secret);
        var meters = new ProcessMeters();
        var listener = new ListenerSettings
        {
            Name = "selftest",
            Address = new IPEndPoint(IPAddress.Loopback, 0),
            Credentials = [new Credential("selftest", secret, backend.AdTag)],
            Protocols = ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic,
        };
        var settings = new ProxySettings
        {
            Listeners = [listener, listener with { Name = "selftest-web", Protocols = ClientProtocols.None, Web = web.Settings }],
            Mode = BackendMode.Auto,
            Direct = telegram.Direct with { PassThrough = backend.PassThrough },
            Middle = telegram.Middle,
            TimeWindow = new TimeWindowSettings(),
            Timeouts = new TimeoutSettings(),
            DataDirectory = directory,
            Engine = engine,
            Loops = Loops,
        };
        PorticoProxy? proxy = null;
        try
        {
            proxy = PorticoProxy.Start(settings, NullLoggerFactory.Instance, meters, TimeProvider.System);
            var hosts = await WebHosts.StartAsync(proxy, NullLoggerFactory.Instance, TimeProvider.System);
            return new ProxyUnderTest(meters, proxy, hosts, secret, web);
        }
        catch
        {
            if (proxy is not null) await proxy.DisposeAsync();
            meters.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _hosts.DisposeAsync();
        _meters.Dispose();
    }
}
