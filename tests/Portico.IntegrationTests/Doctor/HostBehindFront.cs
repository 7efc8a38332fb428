using System.Net;
using Portico.Core.Background;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Doctor;
using Portico.Doctor.Checks;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Proxies;
using Portico.Web;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>A WEB host that speaks plain HTTP to a server in front of it, for the doctor to look at.</summary>
internal sealed class HostBehindFront : IAsyncDisposable
{
    public const string Host = "www.example.org";

    private readonly TemporaryDirectory _files = new();
    private WebHosts _hosts = null!;

    private HostBehindFront()
    {
        Assert.True(WebAddress.TryCreate(Host, "", out var address, out _));
        Directory.CreateDirectory(_files.File("www"));
        _files.Write("www/index.html", "<!doctype html><title>Garden notes</title>\n");
        var web = new WebSettings
        {
            Address = address,
            Site = _files.File("www"),
            Carriers = [WebCarrier.WebSocket, WebCarrier.Https],
            Trusted = [IPNetwork.Parse("127.0.0.1/32")],
        };
        Test = ProxyUnderTest.Start(EngineKind.Sockets, settings => settings with
        {
            Listeners = [settings.Listeners[0] with { Protocols = ClientProtocols.None, Web = web }],
        });
    }

    public ProxyUnderTest Test { get; }

    /// <summary>Where the server in front connects.</summary>
    public IPEndPoint Place => (IPEndPoint)_hosts.Addresses[0];

    public ProxySettings Settings => Changed(web => web);

    public static async Task<HostBehindFront> StartAsync()
    {
        var stage = new HostBehindFront();
        stage._hosts = await WebHosts.StartAsync(stage.Test.Proxy, stage.Test.Logs.Factory, TimeProvider.System);
        return stage;
    }

    /// <summary>As if its WEB proxy were configured otherwise.</summary>
    public ProxySettings Changed(Func<WebSettings, WebSettings> change)
    {
        var settings = Test.Proxy.Settings;
        var listener = settings.Listeners[0];
        return settings with { Listeners = [listener with { Address = Place, Web = change(listener.Web!) }] };
    }

    public ProxySettings Without(WebCarrier carrier) => Changed(web => web with { Carriers = web.Carriers.Remove(carrier) });

    /// <summary>The one thing that the doctor finds.</summary>
    public static async Task<Finding> FindAsync(ProxySettings settings, NetworkAccess access)
    {
        var holder = new DataDirectoryHolder(Environment.ProcessId, []);
        var check = new DoorCheck(settings, holder, new PublicDoor(access), new TcpTable(new MachineFiles()));
        var findings = await check.RunAsync(CancellationToken.None);
        return findings.Count == 1 ? findings[0] : throw new Xunit.Sdk.XunitException(string.Join('\n', findings));
    }

    public async ValueTask DisposeAsync()
    {
        await Test.Proxy.StopAsync(TimeSpan.Zero);
        await _hosts.DisposeAsync();
        await Test.DisposeAsync();
        _files.Dispose();
    }
}
