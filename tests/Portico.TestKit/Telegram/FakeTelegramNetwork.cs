using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Portico.Core.Options;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram;

/// <summary>
/// All of Telegram that a proxy meets: data centres, middle proxies for each id, and the site that
/// tells where they are. Fails the test at its end if the proxy broke a rule of the middle proxies.
/// </summary>
public sealed class FakeTelegramNetwork : IAsyncDisposable
{
    private readonly News _news;
    private readonly TimeProvider? _time;
    private readonly Lock _lock = new();
    private ImmutableList<(short Dc, FakeMiddleProxy Fake)> _middleProxies = [];
    private ImmutableList<FakeMiddleProxy> _retired = [];

    private FakeTelegramNetwork(FakeTelegram dataCentres, FakeConfigSite site, News news, TimeProvider? time)
    {
        DataCentres = dataCentres;
        Site = site;
        _news = news;
        _time = time;
    }

    /// <summary>For the direct way.</summary>
    public FakeTelegram DataCentres { get; }

    public FakeConfigSite Site { get; }

    public MiddleProxySecret Secret => Site.Secret;

    /// <summary>The default id that the site names; null = none. Takes effect with the next change of addresses.</summary>
    public short? DefaultDc { get; set; } = 2;

    /// <summary>Every middle proxy that the site names.</summary>
    public IReadOnlyList<FakeMiddleProxy> MiddleProxies => [.. Current.Select(entry => entry.Fake)];

    /// <summary>What the proxy did towards any middle proxy that no proxy may do.</summary>
    public IReadOnlyList<string> Violations => [.. All.SelectMany(fake => fake.Violations)];

    /// <summary>The direct part of a proxy's settings: every data centre overridden.</summary>
    public DirectSettings Direct => new() { Endpoints = DataCentres.Endpoints };

    private ImmutableList<(short Dc, FakeMiddleProxy Fake)> Current
    {
        get
        {
            lock (_lock)
                return _middleProxies;
        }
    }

    private IEnumerable<FakeMiddleProxy> All
    {
        get
        {
            lock (_lock)
                return [.. _middleProxies.Select(entry => entry.Fake), .. _retired];
        }
    }

    /// <summary>Starts everything, one middle proxy for each id.</summary>
    /// <param name="dcs">Ids with a middle proxy; null = 1 to 5 and their media twins.</param>
    /// <param name="behaviour">What is wrong with the data centres.</param>
    /// <param name="middleBehaviour">What is wrong with each middle proxy.</param>
    /// <param name="time">The clock of the middle proxies; null = the real one.</param>
    public static FakeTelegramNetwork Start(
        IEnumerable<short>? dcs = null, DcBehaviour? behaviour = null, MiddleBehaviour? middleBehaviour = null, TimeProvider? time = null)
    {
        var news = new News();
        var network = new FakeTelegramNetwork(
            FakeTelegram.Start(behaviour), FakeConfigSite.Start(FakeConfigSite.RandomSecret(), news), news, time);
        foreach (var dc in dcs ?? [1, -1, 2, -2, 3, -3, 4, -4, 5, -5])
            network.Add(dc, middleBehaviour);
        return network;
    }

    /// <summary>The middle proxy of an id; with several, the one of this number.</summary>
    public FakeMiddleProxy MiddleProxy(short dc, int number = 0) => Current.Where(entry => entry.Dc == dc).ElementAt(number).Fake;

    /// <summary>One more middle proxy for an id, known to the site.</summary>
    /// <param name="dc">The id.</param>
    /// <param name="behaviour">What is wrong with it.</param>
    /// <param name="address">Where on loopback; null = 127.0.0.1, IPv6 goes into the other document.</param>
    public FakeMiddleProxy Add(short dc, MiddleBehaviour? behaviour = null, IPAddress? address = null)
    {
        var fake = FakeMiddleProxy.Start(Secret, behaviour, address, _time, _news);
        lock (_lock)
            _middleProxies = _middleProxies.Add((dc, fake));
        Publish();
        return fake;
    }

    /// <summary>The site names it no more. It goes on serving.</summary>
    public void Retire(FakeMiddleProxy fake)
    {
        lock (_lock)
        {
            _middleProxies = _middleProxies.RemoveAll(entry => entry.Fake == fake);
            _retired = _retired.Add(fake);
        }
        Publish();
    }

    /// <summary>Waits until something in the books of any of the fakes is true.</summary>
    /// <exception cref="PeerSurpriseException">It did not become true.</exception>
    public Task UntilAsync(Func<FakeTelegramNetwork, bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null) =>
        _news.UntilAsync(() => condition(this), () => string.Join(" | ", All.Select(fake => fake.Describe())), what);

    public async ValueTask DisposeAsync()
    {
        var violations = Violations;
        await Site.DisposeAsync();
        foreach (var fake in All)
            await fake.DisposeAsync();
        await DataCentres.DisposeAsync();
        if (violations.Count > 0)
            throw new PeerSurpriseException($"the proxy broke rules of the middle proxies: {string.Join('\n', violations)}");
    }

    private void Publish()
    {
        var endpoints = Current.Select(entry => (entry.Dc, entry.Fake.Endpoint)).ToLookup(entry => entry.Endpoint.AddressFamily);
        Site.Publish(new ProxyConfigDocument(DefaultDc, endpoints[AddressFamily.InterNetwork]));
        Site.PublishV6(new ProxyConfigDocument(DefaultDc, endpoints[AddressFamily.InterNetworkV6]));
    }
}
