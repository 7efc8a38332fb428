using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Portico.Core;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Proxies;

/// <summary>
/// A proxy on loopback with the fake Telegram behind it: data centres alone, or with middle proxies.
/// Fails the test at its end if the proxy logged an error or a secret, or broke a rule of the middle proxies.
/// </summary>
public sealed class ProxyUnderTest : IAsyncDisposable
{
    /// <summary>The label of the only listener.</summary>
    public const string Listener = "test";

    private const int TurnsToSettle = 4;

    private readonly FakeTelegramNetwork? _network;
    private readonly bool _ownsNetwork;
    private readonly DirectoryInfo _kept = Directory.CreateTempSubdirectory("portico-test-");
    private readonly ManualTime? _time;

    private ProxyUnderTest(FakeTelegram telegram, FakeTelegramNetwork? network, bool ownsNetwork, TimeProvider? time)
    {
        Telegram = telegram;
        Secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
        _network = network;
        _ownsNetwork = ownsNetwork;
        _time = time as ManualTime;
    }

    /// <summary>The data centres.</summary>
    public FakeTelegram Telegram { get; }

    /// <summary>All of Telegram, of a proxy in middle mode.</summary>
    public FakeTelegramNetwork Network => _network ?? throw new InvalidOperationException("this proxy has no middle proxies");

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
    public static ProxyUnderTest Start(
        EngineKind engine, Func<ProxySettings, ProxySettings>? change = null, DcBehaviour? behaviour = null, TimeProvider? time = null)
    {
        var test = new ProxyUnderTest(FakeTelegram.Start(behaviour), null, ownsNetwork: false, time);
        return test.Run(engine, settings => change?.Invoke(settings) ?? settings, time);
    }

    /// <summary>A proxy in middle mode in front of a Telegram of its own: one middle proxy, for DC 2, which is also the default.</summary>
    /// <param name="engine">Who waits for sockets.</param>
    /// <param name="change">
    /// What differs from the defaults: two loops, one link for each data centre,
    /// no look-up of the external address, an empty data directory.
    /// </param>
    /// <param name="behaviour">What is wrong with the middle proxy.</param>
    /// <param name="time">The clock of both.</param>
    public static ProxyUnderTest StartMiddle(
        EngineKind engine, Func<ProxySettings, ProxySettings>? change = null,
        MiddleBehaviour? behaviour = null, TimeProvider? time = null)
    {
        var network = FakeTelegramNetwork.Start([2], middleBehaviour: behaviour, time: time);
        return new ProxyUnderTest(network.DataCentres, network, ownsNetwork: true, time).RunMiddle(engine, change, time);
    }

    /// <summary>The same in front of a Telegram that was there before, and is there afterwards.</summary>
    public static ProxyUnderTest StartMiddle(
        EngineKind engine, FakeTelegramNetwork network,
        Func<ProxySettings, ProxySettings>? change = null, TimeProvider? time = null) =>
        new ProxyUnderTest(network.DataCentres, network, ownsNetwork: false, time).RunMiddle(engine, change, time);

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

    /// <summary>
    /// Waits until so many links to middle proxies are ready, over all data centres and loops, in the proxy's books and in those
    /// of the middle proxies: which enter a link after they have sent the answer that makes it ready for the proxy.
    /// </summary>
    public async Task UntilLinksAsync(int count)
    {
        await Metrics.UntilAsync("portico_dc_connections", count);
        await Network.UntilAsync(network => network.MiddleProxies.Sum(fake => fake.OpenConnections.Count) >= count);
    }

    /// <summary>Moves a manual clock and makes the loops look at it.</summary>
    public void Advance(TimeSpan by)
    {
        (_time ?? throw new InvalidOperationException("this proxy has a real clock")).Advance(by);
        foreach (var loop in Proxy.Engine.Loops)
            loop.Post(() => { });
    }

    /// <summary>Moves a manual clock by steps until something is true: for what other threads must first arm a timer for.</summary>
    /// <exception cref="PeerSurpriseException">It did not become true.</exception>
    public async Task AdvanceUntilAsync(
        TimeSpan step, Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        while (!condition())
        {
            if (clock.IsCancellationRequested)
                throw new PeerSurpriseException($"never came true: {what}. All there is: {Metrics.Describe()}");
            Advance(step);
            await SettleAsync();
            // For those who are not on a loop: fakes and downloads.
            await Task.Delay(1);
        }
    }

    /// <summary>Waits until each loop has done what it had to do by now.</summary>
    public Task SettleAsync() => Task.WhenAll(Proxy.Engine.Loops.Select(async loop =>
    {
        // What a turn queues is for the next one: tasks of tasks need some.
        for (var turn = 0; turn < TurnsToSettle; turn++)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            loop.Post(done.SetResult);
            await done.Task.WaitAsync(Wire.Patience);
        }
    }));

    /// <summary>
    /// Waits until the kernels of the peers have acknowledged what the proxy wrote. They do it by their own clock, after
    /// 40 ms at most, in which a test leads the proxy's on by minutes: as if its peers had been gone for so long.
    /// </summary>
    public async Task AcknowledgedAsync()
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        while (!clock.IsCancellationRequested)
        {
            var underWay = await Task.WhenAll(Proxy.Engine.Loops.Select(async loop =>
            {
                var counted = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                loop.Post(() => counted.SetResult(loop.Slots.Open().Any(channel => channel.UnacknowledgedBytes() > 0)));
                return await counted.Task.WaitAsync(Wire.Patience);
            }));
            if (!underWay.Contains(true))
                return;
            await Task.Delay(5);
        }
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
        _kept.Delete(recursive: true);
        if (_network is null)
            await Telegram.DisposeAsync();
        else if (_ownsNetwork)
            await _network.DisposeAsync();
        Metrics.Dispose();
        var errors = Logs.Errors.ToImmutableArray();
        if (!errors.IsEmpty)
            throw new PeerSurpriseException($"the proxy logged errors: {string.Join('\n', errors)}");
        var secrets = Logs.LinesWith(Secret.Key.ToArray()).ToImmutableArray();
        if (!secrets.IsEmpty)
            throw new PeerSurpriseException($"the proxy logged its secret: {string.Join('\n', secrets)}");
    }

    private ProxyUnderTest RunMiddle(EngineKind engine, Func<ProxySettings, ProxySettings>? change, TimeProvider? time)
    {
        ProxySettings Middle(ProxySettings settings) => settings with
        {
            Mode = BackendMode.Middle,
            Middle = new MiddleProxySettings
            {
                SecretUrl = Network.Site.SecretUrl,
                ConfigUrl = Network.Site.ConfigUrl,
                ConfigV6Url = Network.Site.ConfigV6Url,
                IpLookupServices = [],
                InitialConnections = 1,
            },
        };
        return Run(engine, settings => change?.Invoke(Middle(settings)) ?? Middle(settings), time);
    }

    private ProxyUnderTest Run(EngineKind engine, Func<ProxySettings, ProxySettings> change, TimeProvider? time)
    {
        var settings = new ProxySettings
        {
            Listeners =
            [
                new ListenerSettings
                {
                    Name = Listener,
                    Address = new IPEndPoint(IPAddress.Loopback, 0),
                    Credentials = [new Credential("default", Secret)],
                    Protocols = ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic,
                },
            ],
            Direct = new DirectSettings { Endpoints = Telegram.Endpoints },
            TimeWindow = new TimeWindowSettings(),
            Timeouts = new TimeoutSettings(),
            DataDirectory = _kept.FullName,
            Engine = engine,
            Loops = 2,
        };
        Proxy = PorticoProxy.Start(change(settings), Logs.Factory, Metrics, time ?? TimeProvider.System);
        return this;
    }
}
