using System.Net;
using Portico.Core.Net;
using Portico.IntegrationTests.Tdlib;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Xunit;

namespace Portico.IntegrationTests.Web;

/// <summary>Apps that reach Telegram by the WEB proxy: on a listener of its own, and on one port with fake TLS.</summary>
public sealed class WebProxyTests
{
    public static TheoryData<EngineKind, (bool IsSocket, bool IsSecure, bool IsMiddle, bool IsShared)> EveryWay => Engines.With(
        Enumerable.Range(0, 16).Select(bits => ((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0)).ToArray());

    [Theory]
    [MemberData(nameof(EveryWay))]
    public async Task An_app_reaches_Telegram_and_gets_what_it_asks_for(
        EngineKind engine, (bool IsSocket, bool IsSecure, bool IsMiddle, bool IsShared) way)
    {
        await using var host = await WebHostStage.StartAsync(engine, new() { IsMiddle = way.IsMiddle, IsShared = way.IsShared });
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
        await using var host = await WebHostStage.StartAsync(engine, new() { IsShared = true });
        await using var tunnel = host.Tunnel(isSecure: true, isSocket: true);
        await using var overSite = await FakeClient.ConnectAsync(
            tunnel.Endpoint, new ClientProfile { Mode = ClientMode.Secure, Secret = host.Test.Secret });
        await overSite.GreetAsync();
        await using var tdlib = await TdlibClient.StartAsync();
        using var visitor = host.Visitor();

        var ping = tdlib.PingProxyAsync(host.Test.Endpoint, SecretText.FormatFakeTls(host.Test.Secret, WebHostStage.Host));
        var page = await visitor.GetAsync(new Uri($"https://{WebHostStage.Host}/"));
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
        await using var host = await WebHostStage.StartAsync(engine, new()
        {
            IsShared = true,
            Change = settings => settings with
            {
                Limits = settings.Limits with { UnauthenticatedPerAddress = 2, CountsLoopback = true },
                Cover = settings.Cover with { MaxConnections = 2 },
            },
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
        await using var host = await WebHostStage.StartAsync(engine, new());
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
