using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Admission;
using Portico.Core.Admission.Replay;
using Portico.Core.Backends;
using Portico.Core.Backends.Direct;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Clients;
using Portico.Core.Cover;
using Portico.Core.Cover.Learning;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Telegram;
using Portico.Protocol.FakeTls;

namespace Portico.Core;

/// <summary>Builds every part of a proxy, once and in order; the parts are handed what they use and none is handed this.</summary>
internal sealed class ProxyServices
{
    private readonly ProxySettings _settings;
    private readonly ILoggerFactory _loggers;
    private readonly ImmutableArray<SessionLimit> _limits;
    private readonly ImmutableArray<SeenUsers> _users;
    private readonly SessionLog _sessionLog;
    private readonly ClientClocks _clocks;
    private readonly DcDirectory _dcs;
    private readonly Shortages _shortages;
    private readonly OriginLog _originLog;
    private readonly DcHealth _dcHealth;
    private readonly MiddleProxyHealth _middleHealth;

    /// <summary>Nothing begins to work before <see cref="PorticoProxy"/> says so.</summary>
    /// <param name="settings">Of the proxy.</param>
    /// <param name="engine">Its loops.</param>
    /// <param name="loggers">Where lines go.</param>
    /// <param name="meters">Where the meter comes from.</param>
    /// <param name="outside">How the world is reached.</param>
    public ProxyServices(ProxySettings settings, Engine engine, ILoggerFactory loggers, IMeterFactory meters, Outside outside)
    {
        _settings = settings;
        _loggers = loggers;
        _dcs = new DcDirectory(settings.Direct);
        _shortages = new Shortages(loggers.CreateLogger<Shortages>());
        _dcHealth = new DcHealth(_shortages, loggers.CreateLogger<DcHealth>());
        _middleHealth = new MiddleProxyHealth(_shortages, loggers.CreateLogger<MiddleProxyHealth>());
        Own = new OwnEndpoints(settings, OwnEndpoints.OfThisMachine);
        var resolve = outside.Resolve ?? Dns.GetHostAddressesAsync;
        Cover = CoverServices.Create(settings, loggers, _shortages, Own, resolve, outside.Time ?? TimeProvider.System);
        _limits = [.. settings.Listeners.Select(listener => new SessionLimit(MostSessionsOf(listener)))];
        Metrics = new ProxyMetrics(
            meters,
            () => Loops.SelectMany(loop => loop.Listeners).Select(listener => listener.Counters),
            () => Loops.SelectMany(loop => loop.Dcs.All),
            () => Cover.Budget.Most,
            () => Replays!.Figures,
            () => settings.Listeners.Select(listener => (listener.Name, listener.Credentials.Count(it => it.Domain is null))));
        Replays = new ReplayMemory(settings, loggers, Metrics, engine.Loops[0].UnixSeconds, engine.Loops[0].NowMs / 1000);
        Flights = new LearnedFlights(settings.Listeners.Length);
        if (outside.Time is { } time && settings.UsesMiddleProxies)
        {
            ConfigUpdater = new ConfigUpdater(
                settings, loggers, Metrics, time, outside.Http ?? Downloader.OverNetwork(), ExternalAddress.LocalTowards);
            _middleHealth.LookUp = ConfigUpdater.Hurry;
        }

        MiddleProxies = ConfigUpdater?.Directory ?? new MiddleProxyDirectory(EmbeddedConfig.For(settings));
        if (outside.Time is not null && settings.Cover.Mode != CoverMode.Off)
            FlightLearner = CreateLearner(outside.Time);
        _users = [.. settings.Listeners.Select(listener => new SeenUsers(listener.Credentials.Length))];
        _sessionLog = new SessionLog(loggers.CreateLogger<ClientSession>());
        _originLog = new OriginLog(loggers.CreateLogger<OriginHeader>());
        _clocks = new ClientClocks(loggers.CreateLogger<ClientClocks>());
        Loops = [.. engine.Loops.Select(loop => Build(loop, engine.Loops.Count))];
        Summary = new TrafficSummary(Loops, Sessions, loggers.CreateLogger<TrafficSummary>());
    }

    public ProxyMetrics Metrics { get; }

    /// <summary>Sessions that are open now.</summary>
    public SessionCount Sessions { get; } = new();

    /// <summary>Where this proxy listens, as soon as it does.</summary>
    public OwnEndpoints Own { get; }

    /// <summary>What strangers see.</summary>
    public CoverServices Cover { get; }

    /// <summary>Key shares for flights.</summary>
    public X25519PointPool Points { get; } = new();

    /// <summary>Where the middle proxies are; nothing but the embedded ones unless an updater brings more.</summary>
    public MiddleProxyDirectory MiddleProxies { get; }

    /// <summary>What the operator hears of them.</summary>
    public MiddleProxyHealth MiddleProxyHealth => _middleHealth;

    /// <summary>Keeps <see cref="MiddleProxies"/> up to date; null where no client goes through one.</summary>
    public ConfigUpdater? ConfigUpdater { get; }

    /// <summary>What was seen of clients.</summary>
    public ReplayMemory Replays { get; }

    /// <summary>What the flights copy, per listener.</summary>
    public LearnedFlights Flights { get; }

    /// <summary>Hellos of <see cref="FlightLearner"/> under way, to be known should one come back.</summary>
    public LearnerHellos LearnerHellos { get; } = new();

    /// <summary>Keeps <see cref="Flights"/> up to date; null without a cover.</summary>
    public FlightLearner? FlightLearner { get; }

    /// <summary>What the operator hears of it all.</summary>
    public TrafficSummary Summary { get; }

    /// <summary>One entry for each loop of the engine, in its order.</summary>
    public ImmutableArray<LoopServices> Loops { get; }

    /// <summary>A listener whose sessions take their steps here.</summary>
    public ClientListener CreateListener(int index) =>
        new(_settings.Listeners[index], index, Loops, Metrics, _loggers.CreateLogger<ClientListener>());

    private LoopServices Build(EventLoop loop, int loops)
    {
        loop.Buffers.Budget = BufferPool.BudgetOf(loops);
        var context = new LoopContext(loop, _settings, Metrics, Sessions, _sessionLog, loops);
        var guests = new CoverGuests(Cover.Budget, () => EvictElsewhere(loop));
        var dcs = new DcCounterTable();
        var links = new MiddleProxyServices(
            context, _settings, MiddleProxies, _middleHealth, dcs, _loggers.CreateLogger<MiddleProxyConnection>(), loops);
        var middle = new MiddleProxyBackend(links);
        var direct = new DirectBackend(context, _dcs, dcs, DirectLimits.Of(_settings), _dcHealth);
        var origins = new OriginHeader(context, _originLog);
        return new LoopServices
        {
            Context = context,
            Handshakes = new HandshakePool(loop),
            Listeners =
            [
                .. _settings.Listeners.Select((listener, index) => new ListenerContext(listener, index, _limits[index], _users[index])),
            ],
            Origins = origins,
            Identification = new ClientIdentification(context, CreateJudges(), Cover, guests, Replays, _clocks),
            Strangers = new StrangerHandling(context, Cover, guests, LearnerHellos, origins),
            Admission = new AdmissionControl(context, Replays),
            Greeting = new ServerHandshake(context, Flights, Points),
            Backends = new BackendChoice(_settings, _dcs, MiddleProxies, direct, middle),
            Middle = middle,
            CoverGuests = guests,
            Dcs = dcs,
        };
    }

    // One for each listener and loop: a judge holds states of the loop's.
    private ImmutableArray<Judge> CreateJudges()
    {
        var window = _settings.TimeWindow;
        var accepted = new TimeWindow(window.Enabled, window.PastSeconds, window.FutureSeconds, window.AcceptUnsetClock);
        return [.. _settings.Listeners.Select(listener => new Judge(listener, accepted, _settings.PerSni))];
    }

    private FlightLearner CreateLearner(TimeProvider time)
    {
        var connector = new CoverConnector(Cover.Directory, _settings.Cover.ProxyProtocol, time);
        var probe = new FlightProbe(connector, LearnerHellos, time, _settings.Cover.ConnectTimeout);
        return new FlightLearner(_settings, Flights, probe, _loggers, time);
    }

    // With a cover, some descriptors are kept for strangers.
    private int MostSessionsOf(ListenerSettings listener)
    {
        var sessions = ProcessLimits.Sessions();
        if (_settings.Cover.Mode == CoverMode.Off || sessions == 0) return listener.MaxConnections;
        return (int)Math.Clamp(sessions - Cover.Budget.Most, 1, listener.MaxConnections);
    }

    // Not on the loop itself, where the only one to send away is the newcomer for whom a place is wanted.
    private void EvictElsewhere(EventLoop loop)
    {
        foreach (var other in Loops)
        {
            if (other.Loop != loop) other.Loop.Post(other.CoverGuests.EvictIfExceeded);
        }
    }
}

/// <summary>How the world is reached; what is null is the real thing or, for the clock, nothing at all.</summary>
/// <param name="Time">The clock for downloads; null = nothing is downloaded, and only the embedded middle proxies are known.</param>
/// <param name="Http">Fetches documents; null = from the network.</param>
/// <param name="Resolve">The addresses of a cover's name; null = of the system's resolver.</param>
internal readonly record struct Outside(
    TimeProvider? Time, HttpMessageHandler? Http = null, Func<string, Task<IPAddress[]>>? Resolve = null);
