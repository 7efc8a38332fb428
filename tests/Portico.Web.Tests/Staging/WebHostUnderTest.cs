using System.Collections.Immutable;
using System.Net;
using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Users;
using Portico.Core.Web;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Covers;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Web;
using Portico.Web.Tls;

namespace Portico.Web.Tests.Staging;

/// <summary>How a host is set up that differs from test to test.</summary>
internal sealed record HostSetup
{
    public string Path { get; init; } = "";

    public bool IsTls { get; init; }

    public EndPoint EndPoint { get; init; } = new IPEndPoint(IPAddress.Loopback, 0);

    public ImmutableArray<WebCarrier> Carriers { get; init; } =
        [WebCarrier.WebSocket, WebCarrier.Https, WebCarrier.WebSocketLanes, WebCarrier.HttpsLanes];

    public WebLimits Limits { get; init; } = new();

    public WebTokenKey Tokens { get; init; } = WebTokenKey.Create(new byte[WebTokenKey.Length]);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Users with a link, as each may only begin so much: alice, and others without names of their own.</summary>
    public int Users { get; init; } = 1;

    public EngineKind Engine { get; init; } = EngineKind.Auto;

    public int Loops { get; init; } = 1;

    /// <summary>What else the settings say.</summary>
    public Func<WebSettings, WebSettings> Change { get; init; } = settings => settings;
}

/// <summary>A WEB host on loopback whose sessions end in an echo.</summary>
internal sealed class WebHostUnderTest : IAsyncDisposable
{
    public const string Host = "proxy.example.com";

    public const string SecretHex = "000102030405060708090a0b0c0d0e0f";

    public static readonly ProxySecret Secret = ProxySecret.Create(Convert.FromHexString(SecretHex));

    private readonly Engine _engine;
    private readonly ListenerUsers _users = new("front", new UsageLedger());
    private readonly WebGates _gates;
    private readonly HostSetup _setup;
    private readonly ImmutableArray<Credential> _credentials;

    private WebHostUnderTest(HostSetup setup)
    {
        _setup = setup;
        _engine = Engine.Create(setup.Engine, setup.Loops, TimeProvider.System);
        _gates = new WebGates(setup.Tokens);
        Directory = System.IO.Directory.CreateTempSubdirectory("portico-web-").FullName;
        var others = Enumerable.Range(1, setup.Users - 1).Select(user => new Credential($"user{user}", SecretOf(user)));
        _credentials = [new("alice", Secret), .. others];
        _users.Replace(_credentials, default);
        var listener = new ListenerContext("front", [], 0, new SessionLimit(1000), _users, new ListenerCounters("front"));
        Sessions = new WebSessions(
            [.. _engine.Loops], Echo, listener, setup.Tokens,
            new WebReport("front", new ProxyMetrics(Metrics, new MetricSources()), Logs.Factory.CreateLogger(nameof(WebSessions))),
            setup.Limits, TimeProvider.System);
        WebAddress.TryCreate(Host, setup.Path, out var address, out _);
        var settings = new WebSettings { Address = address!, Carriers = setup.Carriers, TakesClassic = true };
        if (setup.IsTls)
        {
            CoverCertificate.Write(Host, CertificatePath, KeyPath);
            settings = settings with { Certificate = CertificatePath, Key = KeyPath };
        }

        Settings = setup.Change(settings);
        Gate = MakeGate(Settings);
    }

    public EchoEngine Echo { get; } = new();

    public LogProbe Logs { get; } = new();

    public MetricsProbe Metrics { get; } = new();

    public WebSessions Sessions { get; }

    public WebSettings Settings { get; }

    /// <summary>The gate in force; another one is a reload.</summary>
    public WebGate Gate { get; set; }

    public WebServer Server { get; private set; } = null!;

    /// <summary>For files of the test.</summary>
    public string Directory { get; }

    public string CertificatePath => Path.Combine(Directory, "certificate.pem");

    public string KeyPath => Path.Combine(Directory, "key.pem");

    public static string Capability => WebCapability("");

    public IReadOnlyList<EventLoop> Loops => _engine.Loops;

    public string BridgeUrl => BridgeUrlOf(0);

    public static string WebCapability(string path)
    {
        WebAddress.TryCreate(Host, path, out var address, out _);
        return Protocol.WebProxy.Capability.Compute(address!, SecretKind.Secure, Secret);
    }

    /// <summary>WebSockets that have left the web server.</summary>
    public Task<int> CountSocketsAsync() => CountAsync(channel => channel.Owner is LoopSocket);

    /// <summary>Those of them whose TLS has been slimmed.</summary>
    public Task<int> CountSlimAsync() => CountAsync(channel => channel is TlsChannel { IsSlim: true, Owner: LoopSocket });

    public static Task<WebHostUnderTest> StartAsync() => StartAsync(new HostSetup());

    public static async Task<WebHostUnderTest> StartAsync(HostSetup setup)
    {
        var host = new WebHostUnderTest(setup);
        try
        {
            host.Server = await WebServer.StartAsync(() => host.Gate, setup.EndPoint, host.Logs.Factory, setup.Time);
            return host;
        }
        catch
        {
            await host._engine.StopAsync();
            System.IO.Directory.Delete(host.Directory, recursive: true);
            throw;
        }
    }

    public WebGate MakeGate(WebSettings settings) => _gates.Create("front", settings, _credentials, Sessions);

    /// <summary>No secret is good any more.</summary>
    public Task RevokeAsync()
    {
        _users.Replace([], default);
        return Sessions.EndRevokedAsync();
    }

    /// <summary>Of one of several users.</summary>
    public string BridgeUrlOf(int user) => Protocol.WebProxy.Capability.BridgeUrl(Settings.Address, SecretKind.Secure, SecretOf(user));

    public PagelessClient Client(Version? version = null, byte[]? preface = null) =>
        new(Server.Address, BridgeUrl, version ?? HttpVersion.Version11, _setup.IsTls, preface);

    public async ValueTask DisposeAsync()
    {
        await Sessions.CloseAsync();
        await Server.DisposeAsync();
        await _engine.StopAsync();
        Metrics.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private async Task<int> CountAsync(Func<Channel, bool> which)
    {
        var counts = Loops.Select(loop => LoopCall<int>.On(loop, call => call.TrySetResult(loop.Slots.Open().Count(which))));
        return (await Task.WhenAll(counts)).Sum();
    }

    private static ProxySecret SecretOf(int user)
    {
        if (user == 0) return Secret;
        var key = Convert.FromHexString(SecretHex);
        key[0] = (byte)user;
        return ProxySecret.Create(key);
    }
}
