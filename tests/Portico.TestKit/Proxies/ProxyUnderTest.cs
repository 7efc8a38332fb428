using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using Portico.Core;
using Portico.Core.Options;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Proxies;

/// <summary>A proxy on loopback with the fake Telegram behind it. Fails the test at its end if the proxy logged an error or a secret.</summary>
public sealed class ProxyUnderTest : IAsyncDisposable
{
    /// <summary>The label of the only listener.</summary>
    public const string Listener = "test";

    private ProxyUnderTest(FakeTelegram telegram, ProxySecret secret)
    {
        Telegram = telegram;
        Secret = secret;
    }

    public FakeTelegram Telegram { get; }

    public ProxySecret Secret { get; }

    public LogProbe Logs { get; } = new();

    public MetricsProbe Metrics { get; } = new();

    public PorticoProxy Proxy { get; private set; } = null!;

    /// <summary>Where clients connect.</summary>
    public IPEndPoint Endpoint => Proxy.Endpoints[0];

    /// <summary>Starts both.</summary>
    /// <param name="engine">Who waits for sockets.</param>
    /// <param name="change">What differs from the defaults: all protocols, two loops, every data centre overridden, cover off.</param>
    /// <param name="behaviour">What is wrong with Telegram.</param>
    /// <param name="time">The proxy's clock.</param>
    public static ProxyUnderTest Start(EngineKind engine, Func<ProxySettings, ProxySettings>? change = null, DcBehaviour? behaviour = null, TimeProvider? time = null)
    {
        var test = new ProxyUnderTest(FakeTelegram.Start(behaviour), ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length)));
        var settings = new ProxySettings
        {
            Listeners =
            [
                new ListenerSettings
                {
                    Name = Listener,
                    Address = new IPEndPoint(IPAddress.Loopback, 0),
                    Credentials = [new Credential("default", test.Secret)],
                    Protocols = ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic,
                },
            ],
            Direct = new DirectSettings { Endpoints = test.Telegram.Endpoints },
            TimeWindow = new TimeWindowSettings(),
            Timeouts = new TimeoutSettings(),
            Engine = engine,
            Loops = 2,
        };
        settings = change?.Invoke(settings) ?? settings;
        test.Proxy = PorticoProxy.Start(settings, test.Logs.Factory, test.Metrics, time ?? TimeProvider.System);
        return test;
    }

    /// <summary>A client of this proxy that has said nothing yet.</summary>
    public Task<FakeClient> ConnectAsync(ClientProfile? profile = null, int receiveBuffer = 0)
    {
        profile ??= new ClientProfile();
        return FakeClient.ConnectAsync(Endpoint, profile with { Secret = profile.Secret ?? Secret }, receiveBuffer);
    }

    /// <summary>A client that has its flight (with TLS), ready to send packets.</summary>
    public async Task<FakeClient> GreetAsync(ClientProfile? profile = null, int receiveBuffer = 0)
    {
        var client = await ConnectAsync(profile, receiveBuffer);
        await client.GreetAsync();
        return client;
    }

    /// <summary>Waits until so many sessions have ended for this reason.</summary>
    public Task UntilClosedAsync(string reason, string side, int count = 1) =>
        Metrics.UntilAsync("portico_connections_closed_total", count, ("listener", Listener), ("reason", reason), ("side", side));

    /// <summary>Waits until so many clients were counted with this protocol error.</summary>
    public Task UntilProtocolErrorAsync(ProtocolError error, int count = 1) =>
        Metrics.UntilAsync("portico_protocol_error_total", count, ("listener", Listener), ("reason", error.Tag()));

    /// <summary>Waits until nobody is connected.</summary>
    public async Task UntilEmptyAsync()
    {
        await Metrics.UntilAsync("portico_connections", 0);
        using var clock = new CancellationTokenSource(Wire.Patience);
        while (Proxy.SessionCount > 0)
        {
            clock.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Telegram.DisposeAsync();
        Metrics.Dispose();
        var errors = Logs.Errors.ToImmutableArray();
        if (!errors.IsEmpty)
            throw new PeerSurpriseException($"the proxy logged errors: {string.Join('\n', errors)}");
        var secrets = Logs.LinesWith(Secret.Key.ToArray()).ToImmutableArray();
        if (!secrets.IsEmpty)
            throw new PeerSurpriseException($"the proxy logged its secret: {string.Join('\n', secrets)}");
    }
}
