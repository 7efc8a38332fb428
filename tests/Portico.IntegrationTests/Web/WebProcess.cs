using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.TestKit;
using Portico.TestKit.Covers;
using Portico.TestKit.Telegram;
using Portico.TestKit.Web;

namespace Portico.IntegrationTests.Web;

/// <summary>`portico run` with a WEB proxy and nothing else, the fake Telegram behind it.</summary>
internal sealed partial class WebProcess : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTelegram _telegram = FakeTelegram.Start();
    private readonly Dictionary<string, string> _variables;
    private readonly WebAddress _address;
    private readonly bool _isTls;
    private PorticoProcess _process = null!;

    private WebProcess(bool isTls, Dictionary<string, string> variables)
    {
        (_isTls, _variables) = (isTls, variables);
        WebAddress.TryCreate(WebHostStage.Host, "", out var address, out _);
        _address = address!;
        Directory.CreateDirectory(_directory.File("www"));
        _directory.Write("www/index.html", WebHostStage.Page);
        if (isTls)
            CoverCertificate.Write(WebHostStage.Host, _directory.File("site.pem"), _directory.File("site.key"));
    }

    public ProxySecret Secret { get; } = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));

    public IPEndPoint Endpoint { get; private set; } = new(IPAddress.Loopback, 0);

    public string BridgeUrl => Capability.BridgeUrl(_address, SecretKind.Secure, Secret);

    /// <summary>What it has said on stderr so far.</summary>
    public string Said => _process.Said();

    /// <summary>Starts one, and waits until it listens.</summary>
    /// <param name="isTls">With a certificate of its own; else a server in front, on loopback, would speak TLS.</param>
    /// <param name="variables">More of the environment.</param>
    public static async Task<WebProcess> StartAsync(bool isTls, Dictionary<string, string>? variables = null)
    {
        var process = new WebProcess(isTls, variables ?? []);
        await process.StartAgainAsync();
        return process;
    }

    /// <summary>Starts another one in its place, on the same port.</summary>
    public async Task StartAgainAsync()
    {
        Configure();
        if (_process is not null) await _process.DisposeAsync();
        _process = PorticoProcess.Start(_directory.Path, [], _variables);
        await _process.UntilItSaysAsync("[WebListening]");
        var port = Port().Match(_process.Said()).Groups["port"].Value;
        Endpoint = new IPEndPoint(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture));
    }

    /// <summary>An app that has not opened the page yet.</summary>
    public PagelessClient Client(Version? version = null) =>
        new(Endpoint, BridgeUrl, version ?? (_isTls ? HttpVersion.Version20 : HttpVersion.Version11), _isTls);

    /// <summary>Its operator on this machine.</summary>
    public HttpClient Operator() => AdminSocket.Client(_directory.File("admin.sock"));

    /// <summary>It can be asked.</summary>
    public Task UntilAdministeredAsync() => _process.UntilAdministeredAsync();

    /// <summary>Clients of Telegram's reach it by this, each with a session of its own, at whatever port it has by then.</summary>
    public WebTunnel Tunnel(bool isSocket) => new(() => Client(), isSocket);

    /// <summary>An app's first bytes on a stream, which ask for 8 MB.</summary>
    public byte[] Download() => DownloadQuestion.Of(Secret, frames: 80, size: 100_000);

    /// <summary>Sends a signal.</summary>
    public void Signal(int number) => _process.Signal(number);

    /// <summary>Waits for its end.</summary>
    public Task<(int Code, string Output, string Errors)> EndAsync() => _process.EndAsync();

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _telegram.DisposeAsync();
        _directory.Dispose();
    }

    private void Configure() => _directory.Write("portico.json", $$"""
        { "listeners": [{ "address": "127.0.0.1", "port": {{Endpoint.Port}}, "secret": "{{SecretText.FormatSimple(Secret)}}",
            "protocols": [], "web": { "host": "{{WebHostStage.Host}}", "site": "www",
              {{(_isTls ? "\"certificate\": \"site.pem\", \"key\": \"site.key\"," : "\"trusted\": [\"127.0.0.1/32\"],")}}
              "carriers": ["websocket", "https", "websocket-lanes", "https-lanes"] } }],
          "timeouts": { "drainSeconds": 3 }, "admin": { "socket": "{{_directory.File("admin.sock")}}" },
          "backend": { "mode": "direct", "direct": { "endpoints": { "2": ["{{_telegram.Endpoint}}"] } } } }
        """);

    [GeneratedRegex(@"serves its WEB host at 127\.0\.0\.1:(?<port>\d+) ")]
    private static partial Regex Port();
}
