using System.Net;
using Portico.Core.Background;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Doctor;
using Portico.Doctor.Checks;
using Portico.IntegrationTests.Commands;
using Portico.IntegrationTests.Docs;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Covers;
using Portico.TestKit.Proxies;
using Portico.Web;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>A WEB host behind nginx as docs/web-proxy.md sets it up, and with one of its lines left out or changed.</summary>
public sealed class WebNginxTests : IAsyncLifetime
{
    private const string Host = "www.example.org", Certificates = "/etc/letsencrypt/live/www.example.org";

    private readonly TemporaryDirectory _files = new();
    private ProxyUnderTest _proxy = null!;
    private WebHosts _hosts = null!;
    private ProxySettings _settings = null!;

    public async Task InitializeAsync()
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
        _proxy = ProxyUnderTest.Start(EngineKind.Sockets, settings => settings with
        {
            Listeners = [settings.Listeners[0] with { Protocols = ClientProtocols.None, Web = web }],
        });
        _hosts = await WebHosts.StartAsync(_proxy.Proxy, _proxy.Logs.Factory, TimeProvider.System);
        var listener = _proxy.Proxy.Settings.Listeners[0] with { Address = (IPEndPoint)_hosts.Addresses[0] };
        _settings = _proxy.Proxy.Settings with { Listeners = [listener] };
    }

    public async Task DisposeAsync()
    {
        await _proxy.Proxy.StopAsync(TimeSpan.Zero);
        await _hosts.DisposeAsync();
        await _proxy.DisposeAsync();
        _files.Dispose();
    }

    public static TheoryData<string, string, string> Lines => new()
    {
        { "", "", "door-good" },
        { "proxy_set_header X-Forwarded-For $remote_addr;", "", "door-claims" },
        { "X-Forwarded-For $remote_addr;", "X-Forwarded-For $proxy_add_x_forwarded_for;", "door-appends" },
        { "proxy_set_header Host $host;", "", "door-other" },
        { "proxy_set_header Upgrade $http_upgrade;", "", "door-no-socket" },
        { "proxy_request_buffering off;", "", "door-collects" },
        { "proxy_buffering off;", "", "door-good" }, // every answer of ours says so itself
        { "proxy_read_timeout 90s;", "proxy_read_timeout 3s;", "door-cuts" },
    };

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Lines))]
    public async Task What_is_wrong_in_its_configuration_is_named(string line, string instead, string name)
    {
        await using var nginx = await NginxCover.StartAsync(Host, cover => ReadmeExamples.WebNginx
            .With("127.0.0.1:8080", $"{_settings.Listeners[0].Address}")
            .With("listen 443", $"listen {cover.Endpoint}")
            .With($"{Certificates}/fullchain.pem", cover.CertificateFile)
            .With($"{Certificates}/privkey.pem", cover.KeyFile)
            .Replace(line.Length == 0 ? "\0" : line, instead, StringComparison.Ordinal));
        var access = new PublicDoor(FaultyFront.To(nginx.Endpoint));
        // A request that waits takes seconds; where it does not get that far the socket shows the same.
        var settings = name is "door-good" or "door-cuts" ? _settings : OnlyWebSocket();
        var check = new DoorCheck(
            settings, new DataDirectoryHolder(Environment.ProcessId, []), access, new TcpTable(new MachineFiles()));

        var finding = Assert.Single(await check.RunAsync(CancellationToken.None));

        Assert.True(finding.Diagnosis.Name == name, $"{finding.Diagnosis.Name}: {finding.Text}");
    }

    private ProxySettings OnlyWebSocket()
    {
        var listener = _settings.Listeners[0];
        return _settings with { Listeners = [listener with { Web = listener.Web! with { Carriers = [WebCarrier.WebSocket] } }] };
    }
}
