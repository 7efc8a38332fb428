using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Web;
using Portico.Web;
using Xunit;

namespace Portico.IntegrationTests.Web;

/// <summary>What differs between proxies with a WEB proxy.</summary>
internal sealed record WebStageSetup
{
    public bool IsMiddle { get; init; }

    /// <summary>On one port with fake TLS.</summary>
    public bool IsShared { get; init; }

    public string Path { get; init; } = "";

    public ImmutableArray<WebCarrier> Carriers { get; init; } = [WebCarrier.WebSocket, WebCarrier.Https];

    /// <summary>Its certificate is to be used; null = one of its own.</summary>
    public WebHostStage? CertificateOf { get; init; }

    /// <summary>What else differs.</summary>
    public Func<ProxySettings, ProxySettings> Change { get; init; } = settings => settings;
}

/// <summary>A proxy whose listener has a WEB proxy, with its site open.</summary>
internal sealed class WebHostStage : IAsyncDisposable
{
    public const string Page = "<!doctype html><title>Garden notes</title><h1>Garden notes</h1>\n";

    public const string Host = "www.example.org";

    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("portico-web-");
    private readonly WebAddress _address;
    private WebHosts? _hosts;

    private WebHostStage(EngineKind engine, WebStageSetup setup)
    {
        Assert.True(WebAddress.TryCreate(Host, setup.Path, out var address, out _));
        _address = address;
        Directory.CreateDirectory(Path.Combine(_files.FullName, "www"));
        File.WriteAllText(Path.Combine(_files.FullName, "www", "index.html"), Page);
        if (setup.CertificateOf is not { } other)
        {
            CoverCertificate.Write(Host, CertificateFile, KeyFile);
        }
        else
        {
            File.Copy(other.CertificateFile, CertificateFile);
            File.Copy(other.KeyFile, KeyFile);
        }

        Test = setup.IsMiddle
            ? ProxyUnderTest.StartMiddle(engine, settings => setup.Change(Changed(settings, setup)))
            : ProxyUnderTest.Start(engine, settings => setup.Change(Changed(settings, setup)));
    }

    public ProxyUnderTest Test { get; }

    /// <summary>Where apps and visitors connect.</summary>
    public IPEndPoint Door => Test.Proxy.Settings.Listeners[0] is { Protocols: ClientProtocols.None }
        ? (IPEndPoint)_hosts!.Addresses[0]
        : Test.Endpoint;

    /// <summary>Of the site; it signs itself.</summary>
    public string CertificateFile => Path.Combine(_files.FullName, "site.pem");

    private string KeyFile => Path.Combine(_files.FullName, "site.key");

    public static async Task<WebHostStage> StartAsync(EngineKind engine, WebStageSetup setup)
    {
        var stage = new WebHostStage(engine, setup);
        stage._hosts = await WebHosts.StartAsync(stage.Test.Proxy, stage.Test.Logs.Factory, TimeProvider.System);
        return stage;
    }

    public string BridgeUrl(bool isSecure) =>
        Capability.BridgeUrl(_address, isSecure ? SecretKind.Secure : SecretKind.Simple, Test.Secret);

    public PagelessClient Client(bool isSecure) => new(Door, BridgeUrl(isSecure), HttpVersion.Version20, isTls: true);

    public WebTunnel Tunnel(bool isSecure, bool isSocket) => new(() => Client(isSecure), isSocket);

    /// <summary>A browser without a link.</summary>
    public HttpClient Visitor() => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(Door, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    public async ValueTask DisposeAsync()
    {
        await Test.Proxy.StopAsync(TimeSpan.Zero);
        if (_hosts is not null) await _hosts.DisposeAsync();
        await Test.DisposeAsync();
        _files.Delete(recursive: true);
    }

    private ProxySettings Changed(ProxySettings settings, WebStageSetup setup)
    {
        var socket = Path.Combine(settings.DataDirectory, "web.sock");
        var web = new WebSettings
        {
            Address = _address,
            Certificate = CertificateFile,
            Key = KeyFile,
            Site = Path.Combine(_files.FullName, "www"),
            Carriers = setup.Carriers,
            TakesClassic = true,
            Socket = setup.IsShared ? socket : null,
        };
        var listener = settings.Listeners[0] with { Web = web, Domain = Host };
        if (!setup.IsShared) listener = listener with { Protocols = ClientProtocols.None };
        settings = settings with { Listeners = [listener] };
        return setup.IsShared ? settings with { Cover = CoverOf(socket) } : settings;
    }

    private static CoverSettings CoverOf(string socket) =>
        new() { Mode = CoverMode.Fixed, Target = CoverTarget.OfUnixPath(socket), ProxyProtocol = 2, IsWebHost = true };
}
