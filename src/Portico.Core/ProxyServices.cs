using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Admission;
using Portico.Core.Admission.Policy;
using Portico.Core.Admission.Replay;
using Portico.Core.Backends.Direct;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Background;
using Portico.Core.Clients;
using Portico.Core.Control;
using Portico.Core.Cover;
using Portico.Core.Cover.Learning;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Telegram;
using Portico.Core.Users;
using Portico.Core.Web;
using Portico.Protocol.Crypto;

namespace Portico.Core;

/// <summary>
/// Builds every part of a proxy: once what stays, and for each state of the settings what follows from them.
/// The parts are handed what they use and none is handed this.
/// </summary>
internal sealed partial class ProxyServices
{
    private readonly ILoggerFactory _loggers;
    private readonly Outside _outside;
    private readonly ImmutableArray<LoopParts> _parts;
    private readonly SessionLog _sessionLog;
    private readonly ClientClocks _clocks;
    private readonly CoverBudget _budget;
    private readonly Shortages _shortages;
    private readonly OriginLog _originLog;
    private readonly WrongTransportLog _wrongTransports;
    private readonly DcHealth _dcHealth;
    private readonly MiddleProxyHealth _middleHealth;
    private volatile SettingsGeneration _current;
    private volatile TimeZoneInfo _zone;

    /// <summary>Nothing begins to work before <see cref="PorticoProxy"/> says so.</summary>
    /// <param name="settings">Of the proxy.</param>
    /// <param name="engine">Its loops.</param>
    /// <param name="loggers">Where lines go.</param>
    /// <param name="meters">Where the meter comes from.</param>
    /// <param name="outside">How the world is reached.</param>
    public ProxyServices(ProxySettings settings, Engine engine, ILoggerFactory loggers, IMeterFactory meters, Outside outside)
    {
        _zone = settings.TimeZone;
        Events = new EventFeed(outside.Time ?? TimeProvider.System);
        loggers = new WatchedLoggers(loggers, Events);
        _loggers = loggers;
        _outside = outside;
        _shortages = new Shortages(loggers.CreateLogger<Shortages>());
        _dcHealth = new DcHealth(_shortages, loggers.CreateLogger<DcHealth>());
        _middleHealth = new MiddleProxyHealth(_shortages, loggers.CreateLogger<MiddleProxyHealth>());
        Own = new OwnEndpoints(OwnEndpoints.OfThisMachine);
        _budget = new CoverBudget(MostAtCover(settings));
        Metrics = new ProxyMetrics(meters, Sources());
        Memory = CreateGovernor(engine);
        Users = new UserKeeper(
            outside.Users, Ledger, AllUsers, _zone, Metrics, loggers.CreateLogger<UserKeeper>(), outside.Time ?? TimeProvider.System);
        Replays = new ReplayMemory(settings, loggers, Metrics, engine.Loops[0].UnixSeconds, engine.Loops[0].NowMs / 1000);
        Web = new WebGates(TokenKeyFile.ReadOrMake(settings.Listeners.Any(it => it.Web is not null) ? settings.DataDirectory : ""));
        Policy = new AccessPolicy(settings.Policy, settings.DataDirectory, loggers);
        MiddleProxies = new MiddleProxyDirectory(EmbeddedConfig.For(settings));
        BeginMiddle(settings);
        _sessionLog = new SessionLog(loggers.CreateLogger<ClientSession>());
        _originLog = new OriginLog(loggers.CreateLogger<OriginHeader>());
        _wrongTransports = new WrongTransportLog(loggers.CreateLogger<ServerHandshake>());
        _clocks = new ClientClocks(loggers.CreateLogger<ClientClocks>());
        _parts = [.. engine.Loops.Select(loop => CreateParts(loop, settings, engine.Loops.Count))];
        _current = Build(settings, before: null);
        Summary = new TrafficSummary(
            engine.Loops[0], () => Counters, () => _current.Loops[0].Listeners.Select(listener => listener.Users), Sessions,
            loggers.CreateLogger<TrafficSummary>());
    }

    /// <summary>What follows from the settings in force.</summary>
    public SettingsGeneration Current => _current;

    public ProxyMetrics Metrics { get; }

    /// <summary>Tells whoever watches what happens.</summary>
    public EventFeed Events { get; }

    /// <summary>Sessions that are open now.</summary>
    public SessionCount Sessions { get; } = new();

    /// <summary>What is counted of users.</summary>
    public UsageLedger Ledger { get; } = new();

    /// <summary>Looks after users beside the loops.</summary>
    public UserKeeper Users { get; }

    /// <summary>Where this proxy listens, as soon as it does.</summary>
    public OwnEndpoints Own { get; }

    /// <summary>What strangers see.</summary>
    public CoverServices Cover => _current.Cover;

    /// <summary>Key shares for flights.</summary>
    public X25519PointPool Points { get; } = new();

    /// <summary>Where the middle proxies are; nothing but the embedded ones unless an updater brings more.</summary>
    public MiddleProxyDirectory MiddleProxies { get; }

    /// <summary>What the operator hears of them.</summary>
    public MiddleProxyHealth MiddleProxyHealth => _middleHealth;

    /// <summary>Keeps <see cref="MiddleProxies"/> up to date; null as long as no client could go through one.</summary>
    public ConfigUpdater? ConfigUpdater { get; private set; }

    /// <summary>What was seen of clients.</summary>
    public ReplayMemory Replays { get; }

    /// <summary>What the HTTP side of WEB listeners needs, by listener; null for those without.</summary>
    public ImmutableArray<WebGate?> Gates { get; set; } = [];

    /// <summary>Makes the gates of WEB listeners.</summary>
    public WebGates Web { get; }

    /// <summary>Who may come in of those who know a secret.</summary>
    public AccessPolicy Policy { get; }

    /// <summary>Keeps the process within its memory.</summary>
    public MemoryGovernor Memory { get; }

    /// <summary>Hellos of <see cref="FlightLearner"/> under way, to be known should one come back.</summary>
    public LearnerHellos LearnerHellos { get; } = new();

    /// <summary>Keeps what flights copy up to date; null without a cover.</summary>
    public FlightLearner? FlightLearner => _current.FlightLearner;

    /// <summary>What the operator hears of it all.</summary>
    public TrafficSummary Summary { get; }

    /// <summary>What the loops keep while settings change.</summary>
    public ImmutableArray<LoopParts> Parts => _parts;

    /// <summary>Of every listener on every loop.</summary>
    public IEnumerable<ListenerCounters> Counters =>
        Current.Loops.SelectMany(loop => loop.Listeners).Select(listener => listener.Counters);

    /// <summary>A listener whose sessions take their steps here.</summary>
    public ClientListener CreateListener(SettingsGeneration generation, int index) =>
        new(generation.Loops, index, Metrics, _loggers.CreateLogger<ClientListener>());

    /// <summary>WEB sessions of a listener, whose streams it serves.</summary>
    public WebSessions CreateWebSessions(Engine engine, ClientListener acceptor, SettingsGeneration generation, int index) => new(
        [.. engine.Loops], acceptor, generation.Loops[0].Listeners[index], Web.Tokens,
        new WebReport(generation.Settings.Listeners[index].Name, Metrics, _loggers.CreateLogger<WebSessions>()),
        WebLimits.Of(generation.Settings.Listeners[index].MaxConnections), engine.Loops[0].Time);

    /// <summary>What administration may read and ask.</summary>
    /// <param name="engine">The loops.</param>
    /// <param name="endpoints">Where each listener listens.</param>
    /// <param name="isDraining">Whether the proxy is stopping.</param>
    /// <param name="putUsers">Puts managed users in force.</param>
    /// <param name="usersInFile">The others, and where they stand.</param>
    public ProxyControl CreateControl(
        Engine engine, Func<ImmutableArray<IPEndPoint>> endpoints, Func<bool> isDraining,
        Func<ImmutableArray<Credential>, Task<bool>> putUsers, Func<IEnumerable<(Credential User, string Place)>> usersInFile) => new(
        new ControlParts
        {
            Users = Users,
            Ledger = Ledger,
            AllUsers = AllUsers,
            PutUsers = putUsers,
            UsersInFile = usersInFile,
            Loops = engine.Loops,
            Settings = () => Current.Settings,
            Steps = () => Current.Loops,
            Endpoints = endpoints,
            IsDraining = isDraining,
            Dcs = () => _parts.SelectMany(loop => loop.Dcs.All),
            DcHealth = _dcHealth,
            MiddleHealth = _middleHealth,
            MiddleProxies = MiddleProxies,
            Updater = () => ConfigUpdater,
            Cover = () => Cover,
            Learner = () => FlightLearner,
            Policy = Policy,
            Memory = Memory,
            Replays = Replays,
            Sessions = Sessions,
            Clocks = () => _clocks.Last,
            Events = Events,
            Time = _outside.Time ?? TimeProvider.System,
        });

    /// <summary>Clients can come to middle proxies from now on. True the first time, if the world can be asked where those are.</summary>
    public bool BeginMiddle(ProxySettings settings)
    {
        if (ConfigUpdater is not null || !settings.UsesMiddleProxies || _outside.Time is not { } time)
            return false;
        ConfigUpdater = new ConfigUpdater(
            settings, MiddleProxies, _loggers, Metrics, time, _outside.Http ?? Downloader.OverNetwork(), ExternalAddress.LocalTowards);
        _middleHealth.LookUp = () => ConfigUpdater.Hurry();
        return true;
    }

    private IEnumerable<UserRecord> AllUsers() => ListenerUsers.AllOf(_current.Loops[0].Listeners.Select(listener => listener.Users));

    private LoopParts CreateParts(EventLoop loop, ProxySettings settings, int loops)
    {
        loop.Buffers.Budget = BufferPool.BudgetOf(loops);
        var (addresses, random, dcs) = (new AddressLimits(settings.Limits, loops), new RandomKeystream(), new DcCounterTable());
        var log = _loggers.CreateLogger<MiddleProxyConnection>();
        var links = new MiddleProxyServices(
            loop, Metrics, random, MiddleProxies, _middleHealth, dcs, log, loops)
        { Settings = settings };
        return new LoopParts
        {
            Loop = loop,
            Handshakes = new HandshakePool(loop),
            Guests = new CoverGuests(_budget, () => EvictElsewhere(loop)),
            Dcs = dcs,
            Addresses = addresses,
            Strangers = new StrangerLimits(settings.Limits, loop, loops),
            Trials = new TrialQueue(loop),
            Random = random,
            Middle = new MiddleProxyBackend(links),
        };
    }

    // Asked for numbers when everything is built.
    private MetricSources Sources() => new()
    {
        Listeners = () => Counters,
        Dcs = () => _parts.SelectMany(loop => loop.Dcs.All),
        SessionLimits = () => Current.Loops[0].Listeners.Select(listener => (listener.Name, listener.Limit.Most)),
        CoverLimit = () => _budget.Most,
        Replays = () => Replays.Figures,
        StrangerTrials = () => Current.Settings.Listeners.Select(
            listener => (listener.Name, listener.Credentials.Count(it => it.Host.IsNone))),
        StrangerNetworks = () => _parts.Sum(parts => (long)parts.Strangers.Exhausted),
        StrangerRoom = () => _parts.Sum(parts => (long)parts.Strangers.Room),
        Web = () => Gates.OfType<WebGate>().SelectMany(gate => gate.Sessions.Figures()),
        WebBytes = () => Gates.OfType<WebGate>().Select(gate => gate.Sessions.Bytes()),
        Memory = () => (Memory.Figures.Used, Memory.Figures.Limit, (int)Memory.Level),
    };

    private MemoryGovernor CreateGovernor(Engine engine)
    {
        var source = new MemorySource();
        return new MemoryGovernor(
            engine.Loops, source.Read, Sessions, Metrics, _loggers.CreateLogger<MemoryGovernor>(), HeapMemory.Collect, source);
    }

    private static int MostAtCover(ProxySettings settings) => CoverBudget.MostFor(
        settings.Cover.MaxConnections, ProcessLimits.Sessions(), settings.Listeners.Sum(listener => (long)listener.MaxConnections));

    // Not on the loop itself, where the only one to send away is the newcomer for whom a place is wanted.
    private void EvictElsewhere(EventLoop loop)
    {
        foreach (var other in _parts)
        {
            if (other.Loop != loop) other.Loop.Post(other.Guests.EvictIfExceeded);
        }
    }
}
