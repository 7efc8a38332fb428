using System.Net;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.IntegrationTests.Tdlib;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.TestKit.Web;
using Portico.Web;
using Xunit;

namespace Portico.IntegrationTests.Web;

/// <summary>Apps that reach Telegram by the WEB proxy: on a listener of its own, and on one port with fake TLS.</summary>
public sealed class WebProxyTests
{
    private const string Host = "www.example.org";

    public static TheoryData<EngineKind, (bool IsSocket, bool IsSecure, bool IsMiddle, bool IsShared)> EveryWay => Engines.With(
        Enumerable.Range(0, 16).Select(bits => ((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0)).ToArray());

    [Theory]
    [MemberData(nameof(EveryWay))]
    public async Task An_app_reaches_Telegram_and_gets_what_it_asks_for(
        EngineKind engine, (bool IsSocket, bool IsSecure, bool IsMiddle, bool IsShared) way)
    {
        await using var host = await WebHostStage.StartAsync(engine, way.IsMiddle, way.IsShared);
        await using var tunnel = host.Tunnel(way.IsSecure, way.IsSocket);
        var profile = way.IsSecure
            ? new ClientProfile { Mode = ClientMode.Secure }
            : new ClientProfile { Mode = ClientMode.Plain, Transport = Transport.Intermediate };
        await using var client = await FakeClient.ConnectAsync(tunnel.Endpoint, profile with { Secret = host.Test.Secret });
        await client.GreetAsync();

        await client.EchoAsync(100);
        await client.DownloadAsync(40, 100_000);
        await client.UploadAsync(40, 100_000);

        await host.Test.Metrics.UntilAsync("portico_connections", 1, ("state", "relaying"));
        await host.Test.Metrics.UntilAsync("portico_web_streams", 1, ("carrier", way.IsSocket ? "websocket" : "https"));
        Assert.Empty(tunnel.Faults);
    }

    [TdlibTheory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task TDLib_over_fake_TLS_an_app_over_the_site_and_a_visitor_share_one_port(EngineKind engine)
    {
        await using var host = await WebHostStage.StartAsync(engine, isMiddle: false, isShared: true);
        await using var tunnel = host.Tunnel(isSecure: true, isSocket: true);
        await using var overSite = await FakeClient.ConnectAsync(
            tunnel.Endpoint, new ClientProfile { Mode = ClientMode.Secure, Secret = host.Test.Secret });
        await overSite.GreetAsync();
        await using var tdlib = await TdlibClient.StartAsync();
        using var visitor = host.Visitor();

        var ping = tdlib.PingProxyAsync(host.Test.Endpoint, SecretText.FormatFakeTls(host.Test.Secret, Host));
        var page = await visitor.GetAsync(new Uri($"https://{Host}/"));
        await overSite.EchoAsync(1000);
        var answer = await ping;

        Assert.True((string?)answer["@type"] == "seconds", answer.ToJsonString());
        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (page.StatusCode, page.Version));
        Assert.Equal(WebHostStage.Page, await page.Content.ReadAsStringAsync());
        Assert.Empty(tunnel.Faults);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Apps_on_a_shared_port_are_no_strangers_of_whom_an_address_may_have_few(EngineKind engine)
    {
        await using var host = await WebHostStage.StartAsync(
            engine, isMiddle: false, isShared: true,
            settings => settings with
            {
                Limits = settings.Limits with { UnauthenticatedPerAddress = 2, CountsLoopback = true },
                Cover = settings.Cover with { MaxConnections = 2 },
            });
        await using var tunnel = host.Tunnel(isSecure: true, isSocket: true);
        var clients = new List<FakeClient>();
        for (var i = 0; i < 6; i++)
        {
            clients.Add(await FakeClient.ConnectAsync(
                tunnel.Endpoint, new ClientProfile { Mode = ClientMode.Secure, Secret = host.Test.Secret }));
            await clients[i].GreetAsync();
            await clients[i].EchoAsync(100);
        }

        foreach (var client in clients) await client.EchoAsync(100);

        Assert.Empty(tunnel.Faults);
        foreach (var client in clients) await client.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_removed_secret_ends_its_sessions_and_its_page_is_the_site(EngineKind engine)
    {
        await using var host = await WebHostStage.StartAsync(engine, isMiddle: false, isShared: false);
        await using var tunnel = host.Tunnel(isSecure: true, isSocket: true);
        await using var client = await FakeClient.ConnectAsync(
            tunnel.Endpoint, new ClientProfile { Mode = ClientMode.Secure, Secret = host.Test.Secret });
        await client.GreetAsync();
        await client.EchoAsync(100);
        var settings = host.Test.Proxy.Settings;
        var other = settings.Listeners[0].Credentials[0] with { Secret = ProxySecret.Create("fedcba9876543210"u8) };

        await host.Test.Proxy.ReloadAsync(settings with { Listeners = [settings.Listeners[0] with { Credentials = [other] }] });

        await client.ReadToEndAsync(TimeSpan.FromSeconds(1));
        using var visitor = host.Visitor();
        Assert.Equal(WebHostStage.Page, await visitor.GetStringAsync(new Uri(host.BridgeUrl(isSecure: true))));
    }
}

/// <summary>A proxy whose listener has a WEB proxy, with its site open.</summary>
internal sealed class WebHostStage : IAsyncDisposable
{
    public const string Page = "<!doctype html><title>Garden notes</title><h1>Garden notes</h1>\n";

    private const string Host = "www.example.org";

    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("portico-web-");
    private readonly WebAddress _address;
    private WebHosts? _hosts;

    private WebHostStage(EngineKind engine, bool isMiddle, bool isShared, Func<ProxySettings, ProxySettings>? change)
    {
        Assert.True(WebAddress.TryCreate(Host, "", out var address, out _));
        _address = address;
        Directory.CreateDirectory(Path.Combine(_files.FullName, "www"));
        File.WriteAllText(Path.Combine(_files.FullName, "www", "index.html"), Page);
        CoverCertificate.Write(Host, Certificate, Key);
        Test = isMiddle
            ? ProxyUnderTest.StartMiddle(engine, Change)
            : ProxyUnderTest.Start(engine, Change);

        ProxySettings Change(ProxySettings settings) => change?.Invoke(Changed(settings, isShared)) ?? Changed(settings, isShared);
    }

    public ProxyUnderTest Test { get; }

    private string Certificate => Path.Combine(_files.FullName, "site.pem");

    private string Key => Path.Combine(_files.FullName, "site.key");

    private EndPoint Door => Test.Proxy.Settings.Listeners[0] is { Protocols: ClientProtocols.None } ? _hosts!.Addresses[0] : Test.Endpoint;

    public static async Task<WebHostStage> StartAsync(
        EngineKind engine, bool isMiddle, bool isShared, Func<ProxySettings, ProxySettings>? change = null)
    {
        var stage = new WebHostStage(engine, isMiddle, isShared, change);
        stage._hosts = await WebHosts.StartAsync(stage.Test.Proxy, stage.Test.Logs.Factory, TimeProvider.System);
        return stage;
    }

    public string BridgeUrl(bool isSecure) =>
        Capability.BridgeUrl(_address, isSecure ? SecretKind.Secure : SecretKind.Simple, Test.Secret);

    public WebTunnel Tunnel(bool isSecure, bool isSocket) =>
        new(() => new PagelessClient(Door, BridgeUrl(isSecure), HttpVersion.Version20, isTls: true), isSocket);

    /// <summary>A browser without a link.</summary>
    public HttpClient Visitor() => new(new SocketsHttpHandler
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
            await socket.ConnectAsync(Door, cancel);
            return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
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

    private ProxySettings Changed(ProxySettings settings, bool isShared)
    {
        var socket = Path.Combine(settings.DataDirectory, "web.sock");
        var web = new WebSettings
        {
            Address = _address,
            Certificate = Certificate,
            Key = Key,
            Site = Path.Combine(_files.FullName, "www"),
            Carriers = [WebCarrier.WebSocket, WebCarrier.Https],
            TakesClassic = true,
            Socket = isShared ? socket : null,
        };
        var listener = settings.Listeners[0] with { Web = web, Domain = Host };
        if (!isShared) listener = listener with { Protocols = ClientProtocols.None };
        settings = settings with { Listeners = [listener] };
        return isShared
            ? settings with { Cover = CoverOf(socket) }
            : settings;
    }

    private static CoverSettings CoverOf(string socket) =>
        new() { Mode = CoverMode.Fixed, Target = CoverTarget.OfUnixPath(socket), ProxyProtocol = 2, IsWebHost = true };
}
