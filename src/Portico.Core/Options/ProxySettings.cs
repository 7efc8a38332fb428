using System.Collections.Immutable;
using System.Net;
using Portico.Core.Net;
using Portico.Core.Users;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Options;

/// <summary>
/// A configuration that was checked whole: parsed, immutable,
/// with every default filled in. Nothing is parsed after start-up.
/// </summary>
public sealed record ProxySettings
{
    /// <summary>One listening address each; at least one.</summary>
    public required ImmutableArray<ListenerSettings> Listeners { get; init; }

    /// <summary>Which way clients go to Telegram.</summary>
    public BackendMode Mode { get; init; } = BackendMode.Auto;

    /// <summary>How data centres are reached.</summary>
    public required DirectSettings Direct { get; init; }

    /// <summary>How middle proxies are reached.</summary>
    public MiddleProxySettings Middle { get; init; } = new();

    /// <summary>What strangers see.</summary>
    public CoverSettings Cover { get; init; } = new();

    /// <summary>Take IPv6 addresses of Telegram's before IPv4 ones; the same in both modes.</summary>
    public bool PreferIPv6 => Direct.PreferIPv6;

    /// <summary>What direct connections and those to covers are made from, in turns; empty = the system chooses.</summary>
    public ImmutableArray<IPAddress> LocalAddresses { get; init; } = [];

    /// <summary>When a slow client is given up (middle mode).</summary>
    public HealthSettings Health { get; init; } = new();

    /// <summary>What happens to Telegram's error -404 (middle mode).</summary>
    public ServerErrorFilter ServerErrorFilter { get; init; } = ServerErrorFilter.First;

    /// <summary>Which signing times of a hello are accepted.</summary>
    public required TimeWindowSettings TimeWindow { get; init; }

    /// <summary>What is remembered of clients.</summary>
    public ReplaySettings Replay { get; init; } = new();

    /// <summary>How secrets are derived for each domain; null = they are not.</summary>
    public PerSniSettings? PerSni { get; init; }

    /// <summary>How records to fake-TLS clients grow.</summary>
    public RecordSizes RecordSizes { get; init; }

    /// <summary>Who may come in of those who know a secret.</summary>
    public PolicySettings Policy { get; init; } = new();

    /// <summary>Limits of those who have shown nothing yet.</summary>
    public LimitSettings Limits { get; init; } = new();

    /// <summary>When a client's connection ends with RST.</summary>
    public ResetOnClose ResetOnClose { get; init; }

    /// <summary>How long each phase of a session may last.</summary>
    public required TimeoutSettings Timeouts { get; init; }

    /// <summary>How it is administered; a host that has no administration does not look at it.</summary>
    public AdminSettings Admin { get; init; } = new();

    /// <summary>Where metrics are sent; likewise.</summary>
    public TelemetrySettings Telemetry { get; init; } = new();

    /// <summary>Who is told when something is wrong; likewise.</summary>
    public AlertSettings Alerts { get; init; } = new();

    /// <summary>In whose days quotas are counted.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>
    /// Absolute path of the directory for what must survive a restart.
    /// Empty: clients seen are not kept over a restart (tests).
    /// </summary>
    public string DataDirectory { get; init; } = Path.GetFullPath("data");

    /// <summary>This start made the secret itself, so there is nothing yet that could be repeated.</summary>
    public bool HasNewSecret { get; init; }

    /// <summary>Who waits for sockets.</summary>
    public EngineKind Engine { get; init; } = EngineKind.Auto;

    /// <summary>Number of event loops; 0 = <see cref="Net.Engine.LoopsFor"/> the cores there are.</summary>
    public int Loops { get; init; }

    /// <summary>Whether any client can come to a middle proxy: if not, nothing of Telegram's configuration is needed.</summary>
    public bool UsesMiddleProxies => MediaGoesThroughMiddleProxy || ChatsUseMiddleProxies;

    /// <summary>Whether anything but media can.</summary>
    public bool ChatsUseMiddleProxies => Listeners.Any(listener => listener.Credentials.Any(GoesThroughMiddleProxy));

    /// <summary>Connections for photos and files go through a middle proxy, whatever the mode: <c>backend.media</c>.</summary>
    public bool MediaGoesThroughMiddleProxy { get; init; }

    /// <summary>The way of a client who knows this credential's secret: true = a middle proxy, false = a data centre.</summary>
    public bool GoesThroughMiddleProxy(Credential credential) => Mode switch
    {
        BackendMode.Direct => false,
        BackendMode.Middle => true,
        _ => credential.AdTag is not null,
    };
}

/// <summary>One listening address with its credentials.</summary>
public sealed record ListenerSettings
{
    /// <summary>The label of this listener in logs and metrics.</summary>
    public required string Name { get; init; }

    /// <summary>Where it listens. <see cref="IPAddress.IPv6Any"/> is dual stack. Port 0 lets the system choose (tests).</summary>
    public required IPEndPoint Address { get; init; }

    /// <summary>Who may come in; at least one, no two with the same secret.</summary>
    public required ImmutableArray<Credential> Credentials { get; init; }

    /// <summary>Of those users that have none of their own; it is in <see cref="Credentials"/> already.</summary>
    public AdTag? AdTag { get; init; }

    /// <summary>What the listener speaks.</summary>
    public ClientProtocols Protocols { get; init; } = ClientProtocols.FakeTls;

    /// <summary>The host name put into fake-TLS links; any SNI is accepted.</summary>
    public string? Domain { get; init; }

    /// <summary>What links show as server; null = found out at start.</summary>
    public string? PublicHost { get; init; }

    /// <summary>What links show as port; null = the listening port.</summary>
    public int? PublicPort { get; init; }

    /// <summary>Authenticated sessions at a time; the next one is treated as a stranger.</summary>
    public int MaxConnections { get; init; } = 64000;

    /// <summary>From these networks every connection begins with a PROXY header, which is believed.</summary>
    public ImmutableArray<IPNetwork> TrustedBalancers { get; init; } = [];

    /// <summary>Telegram's WEB proxy on this listener; null = none.</summary>
    public WebSettings? Web { get; init; }
}

/// <summary>Protocols that a listener allows (spec/01 section 1).</summary>
[Flags]
public enum ClientProtocols
{
    /// <summary>None: the WEB proxy alone.</summary>
    None = 0,

    /// <summary>Fake TLS, padded intermediate inside (<c>ee</c> links).</summary>
    FakeTls = 1,

    /// <summary>Padded intermediate without TLS (<c>dd</c> links).</summary>
    Secure = 2,

    /// <summary>Abridged and intermediate without TLS (plain links).</summary>
    Classic = 4,
}

/// <summary>Direct mode: one TCP connection to a data centre per client (spec/04).</summary>
public sealed record DirectSettings
{
    /// <summary>Addresses by signed DC id that replace the built-in table's (spec/04 section 2).</summary>
    public ImmutableDictionary<int, ImmutableArray<IPEndPoint>> Endpoints { get; init; } =
        ImmutableDictionary<int, ImmutableArray<IPEndPoint>>.Empty;

    /// <summary>The DC of clients that name none or an unknown one.</summary>
    public int DefaultDc { get; init; } = 2;

    /// <summary>Hand the DC our client's own key, so that downloads are relayed without cipher work (spec/04 section 5).</summary>
    public bool PassThrough { get; init; } = true;

    /// <summary>Try IPv6 addresses before IPv4 ones.</summary>
    public bool PreferIPv6 { get; init; }
}

/// <summary>The ways to Telegram (spec/04 section 7).</summary>
public enum BackendMode
{
    /// <summary>A middle proxy for clients with an ad tag, a data centre for the others.</summary>
    Auto,

    /// <summary>A connection to a data centre for each client; ad tags have no effect.</summary>
    Direct,

    /// <summary>A middle proxy for all.</summary>
    Middle,
}

/// <summary>When Telegram's packet <c>6c fe ff ff</c> (error -404) is kept from a client (spec/05 section 3.10).</summary>
public enum ServerErrorFilter
{
    /// <summary>When it is the first packet that this client would get.</summary>
    First,

    /// <summary>Always.</summary>
    On,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>Deadlines. None of them is extended by bytes except the idle one.</summary>
public sealed record TimeoutSettings
{
    /// <summary>From accept until we know who is calling.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From our flight until the 64-byte header: the client proved itself, and its network may be slow.</summary>
    public TimeSpan Header { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>All attempts to connect to a DC together.</summary>
    public TimeSpan DcConnect { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A relaying session without a byte in either direction.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>Output under way to a client that takes no byte of it.</summary>
    public TimeSpan ClientWrite { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>From SIGTERM until the remaining sessions are closed.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(8);
}
