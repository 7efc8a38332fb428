using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Portico.Admin.Metrics;
using Portico.Core.Control;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.Secrets;
using Portico.TestKit;
using Portico.TestKit.Proxies;

namespace Portico.Admin.Tests;

/// <summary>The interface of a real proxy with the fake Telegram behind it, on loopback and on a unix socket.</summary>
internal sealed class AdminUnderTest : IAsyncDisposable
{
    /// <summary>The token.</summary>
    public const string Token = "a-token-of-the-tests-0123456789";

    private readonly DirectoryInfo _directory;
    private readonly MetricsExport? _metrics;

    private AdminUnderTest(ProxyUnderTest proxy, MetricsExport? metrics, DirectoryInfo directory) =>
        (Proxy, _metrics, _directory) = (proxy, metrics, directory);

    public ProxyUnderTest Proxy { get; }

    public AdminServer Server { get; private set; } = null!;

    /// <summary>What a reload answers.</summary>
    public ReloadOutcome Outcome { get; set; } = new("unchanged", [], [], []);

    /// <summary>What becomes of an upgrade.</summary>
    public UpgradeOutcome Upgrade { get; set; } = new(4711, null);

    /// <summary>The links of a user; by default some that are only told apart.</summary>
    public Func<string, ImmutableArray<UserLink>> Links { get; set; } =
        name => [new UserLink("test", "fake-tls", $"tg://{name}", $"https://t.me/{name}")];

    /// <summary>What the doctor says.</summary>
    public string Findings { get; set; } = """{ "ok": 1 }""";

    /// <summary>What the log was set to.</summary>
    public List<(string? Category, LogLevel Level, TimeSpan Duration)> Levels { get; } = [];

    /// <summary>Over TCP, with the token.</summary>
    public HttpClient Client => NewClient(Token);

    /// <summary>Starts it.</summary>
    /// <param name="change">What differs: of the settings.</param>
    /// <param name="admin">What differs: of administration.</param>
    /// <param name="time">The clock of the interface.</param>
    /// <param name="heartbeat">Of events.</param>
    public static async Task<AdminUnderTest> StartAsync(
        Func<ProxySettings, ProxySettings>? change = null, Func<AdminSettings, AdminSettings>? admin = null,
        TimeProvider? time = null, TimeSpan? heartbeat = null)
    {
        AdminUnderTest? test = null;
        var directory = Directory.CreateTempSubdirectory("portico-admin-");
        var settings = new AdminSettings
        {
            Address = new IPEndPoint(IPAddress.Loopback, 0),
            Token = new AdminToken(Token),
            Sockets = [Path.Combine(directory.FullName, "a.sock")],
        };
        var wanted = admin?.Invoke(settings) ?? settings;
        var metrics = MetricsExport.Begin(new ProxySettings
        {
            Listeners = [],
            Direct = new(),
            TimeWindow = new(),
            Timeouts = new(),
            Admin = wanted,
        });
        var proxy = ProxyUnderTest.Start(EngineKind.Auto, all => (change?.Invoke(all) ?? all) with { Admin = wanted });
        test = new AdminUnderTest(proxy, metrics, directory);
        var host = new AdminHost
        {
            Control = proxy.Proxy.Control,
            Version = "1.2.3",
            Loggers = proxy.Logs.Factory,
            Configuration = () => """{ "loops": 2 }""",
            Reload = _ =>
            {
                proxy.Proxy.CountReload(test.Outcome.Result);
                return Task.FromResult(test.Outcome);
            },
            Upgrade = _ => Task.FromResult(test.Upgrade),
            Links = name => test.Links(name),
            Doctor = _ => Task.FromResult(test.Findings),
            LogLevel = (category, level, duration) =>
            {
                test.Levels.Add((category, level, duration));
                return category == "no category" ? null : LogLevel.Information;
            },
        };
        test.Server = await AdminServer.StartAsync(host, metrics, time ?? TimeProvider.System, heartbeat ?? TimeSpan.FromSeconds(15))
            ?? throw new InvalidOperationException("no door could be opened");
        return test;
    }

    /// <summary>Links of a managed user that clients can use, for <see cref="Links"/>.</summary>
    public ImmutableArray<UserLink> RealLinks(string name)
    {
        if (Proxy.Proxy.Control.ManagedUsers.Export(name)?.Secret is not { } text) return [];
        var secret = SecretText.FormatFakeTls(ProxySecret.Create(Convert.FromHexString(text)), "www.example.org");
        var (host, port) = (Proxy.Endpoint.Address.ToString(), Proxy.Endpoint.Port);
        return [new UserLink(ProxyUnderTest.Listener, "fake-tls", ProxyLink.Tg(host, port, secret), ProxyLink.TMe(host, port, secret))];
    }

    /// <summary>A caller over TCP.</summary>
    /// <param name="token">What it brings; null = nothing.</param>
    /// <param name="host">The name it calls; null = that of the address.</param>
    public HttpClient NewClient(string? token, string? host = null)
    {
        var client = new HttpClient { BaseAddress = new Uri($"http://{Server.Address}/") };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        client.DefaultRequestHeaders.Host = host;
        return client;
    }

    /// <summary>A caller over TCP that brings nothing and keeps nothing.</summary>
    public HttpClient NewClientWithoutCookies() =>
        new(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri($"http://{Server.Address}/") };

    /// <summary>A caller over the unix socket.</summary>
    public HttpClient NewSocketClient() => AdminSocket.Client(Server.Socket!);

    /// <summary>Sends bytes as they are and returns the first line of the answer: for what no client library would send.</summary>
    public async Task<string> RawAsync(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(Server.Address!);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(socket.GetStream());
        return await reader.ReadLineAsync() ?? "";
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Proxy.DisposeAsync();
        _metrics?.Dispose();
        _directory.Delete(recursive: true);
    }
}

/// <summary>Short forms for tests.</summary>
internal static class HttpClients
{
    /// <summary>The JSON of an answer that must be a success.</summary>
    public static async Task<JsonNode> JsonAsync(this HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        var text = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>Status and JSON of an answer.</summary>
    public static async Task<(int Status, JsonNode? Body)> SendAsync(
        this HttpClient client, string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        try
        {
            return ((int)answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
        }
        catch (JsonException)
        {
            return ((int)answer.StatusCode, null);
        }
    }
}
