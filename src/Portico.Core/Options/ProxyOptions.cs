using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Portico.Core.Options;

/// <summary>
/// The configuration as the operator writes it: texts and numbers, nothing parsed.
/// <see cref="ProxyOptionsParser"/> makes <see cref="ProxySettings"/> of it.
/// </summary>
public sealed class ProxyOptions
{
    /// <summary>The metadata of this type and everything below it: which keys exist is read from here, never from a second list.</summary>
    public static JsonTypeInfo<ProxyOptions> TypeInfo => ProxyOptionsJson.Default.ProxyOptions;

    /// <summary>For editors.</summary>
    [JsonPropertyName("$schema")]
    [Option("Where an editor finds the JSON Schema of this file; the proxy ignores it.",
        Example = "\"./portico.schema.json\"", TakesEffect = "nothing")]
    public string? Schema { get; set; }

    /// <summary>Listening addresses.</summary>
    [Option("The addresses to listen on, each with its own secrets. At least one.", Needed = true, TakesEffect = TakesEffect.Live)]
    public ListenerOptions[] Listeners { get; set; } = [];

    /// <summary>The way to Telegram.</summary>
    [Option("How Telegram's data centres are reached.")]
    public BackendOptions Backend { get; set; } = new();

    /// <summary>Local addresses; none, because one address has ports for 28 000 clients of each data centre.</summary>
    [Option("Addresses of this machine from which data centres are reached in direct mode, and covers, in turns. Each brings local "
            + "ports of its own, some 28 000 towards one address; empty = the system chooses. "
            + "Links to middle proxies need few and do not use them.",
        Example = """["192.0.2.7", "192.0.2.8"]""", TakesEffect = TakesEffect.NewSessions)]
    public string[] LocalAddresses { get; set; } = [];

    /// <summary>What strangers see.</summary>
    [Option("What those see who do not know a secret.")]
    public CoverOptions Cover { get; set; } = new();

    /// <summary>Fake TLS.</summary>
    [Option("Fake TLS: what is demanded of a client's hello.")]
    public FakeTlsOptions FakeTls { get; set; } = new();

    /// <summary>Answers to replays.</summary>
    [Option("What is done about messages that somebody repeats.")]
    public ReplayOptions Replay { get; set; } = new();

    /// <summary>Access rules; none, since whoever knows a secret was given it.</summary>
    [Option("Rules for clients that know a secret, asked in this order; the first that a client does not pass refuses it "
            + "(cover.policyRefused). A client passes a rule on a key that it does not have: one without TLS has no tls_domain, "
            + "one of the other family no such address.",
        Example = """[{ "rule": "notInTable", "key": "client_ipv4", "table": "banned" }, """
            + """{ "rule": "maxConnections", "keys": ["port_name", "client_ipv4"], "limit": 15 }]""",
        TakesEffect = TakesEffect.Live)]
    public PolicyRuleOptions[] Policy { get; set; } = [];

    /// <summary>Tables.</summary>
    [Option("Tables that rules look values up in, by name: what they hold at first. What is added and removed while the proxy runs "
            + "is kept in the data directory, and counts over what stands here.",
        Example = """{ "banned": ["203.0.113.7"] }""", TakesEffect = TakesEffect.Live)]
    public Dictionary<string, string[]> Tables { get; set; } = [];

    /// <summary>Limits of those who have shown nothing yet.</summary>
    [Option("Limits against floods.")]
    public LimitOptions Limits { get; set; } = new();

    /// <summary>FIN or RST.</summary>
    [Option("How a connection ends. off: with FIN, as web servers do. handshake-error: with RST where the client was "
            + "not let in and nothing was sent to it. always: clients that were relayed get RST as well, and may lose the last "
            + "bytes on their way. After an alert, and between our flight and the first packet, it is FIN in every case.",
        OneOf = ["off", "handshake-error", "always"], TakesEffect = TakesEffect.NewSessions)]
    public string ResetOnClose { get; set; } = "off";

    /// <summary>Limits of a slow client.</summary>
    [Option("Middle mode: when a client that takes too little is given up, so that the others on its link need not wait for it.")]
    public HealthOptions Health { get; set; } = new();

    /// <summary>Deadlines.</summary>
    [Option("How long each phase of a session may last.")]
    public TimeoutOptions Timeouts { get; set; } = new();

    /// <summary>For operators, while it runs.</summary>
    [Option("How a running proxy is administered: an HTTP interface on TCP and on a unix socket.")]
    public AdminOptions Admin { get; set; } = new();

    /// <summary>What is sent elsewhere.</summary>
    [Option("Where metrics are sent, besides /metrics of the HTTP interface.")]
    public TelemetryOptions Telemetry { get; set; } = new();

    /// <summary>Who is told when something is wrong.</summary>
    [Option("Who is told when something is wrong, without asking.")]
    public AlertOptions Alerts { get; set; } = new();

    /// <summary>Time zone; the one that is the same everywhere.</summary>
    [Option("In whose days quotas and histories are counted: a name of the system's list of time zones.",
        Example = "\"Europe/Berlin\"", TakesEffect = TakesEffect.Live)]
    public string TimeZone { get; set; } = "UTC";

    /// <summary>Where the proxy keeps what it learns.</summary>
    [Option("Where the proxy keeps what must survive a restart. A relative path starts at the directory of the configuration file.")]
    public string DataDirectory { get; set; } = "data";

    /// <summary>Engine; epoll costs the least processor time and memory, so Linux gets it.</summary>
    [Option("Who waits for sockets: auto = the best of this system, which is epoll on Linux; "
            + "sockets = the portable engine, which costs more.",
        OneOf = ["auto", "epoll", "sockets"])]
    public string Engine { get; set; } = "auto";

    /// <summary>Loops; sessions never leave their loop, so more loops than cores only take turns.</summary>
    [Option(
        "Number of event loops, each with a thread of its own. 0 = one fewer than there are processor cores, at least one.",
        Minimum = 0, Maximum = 1024)]
    public int Loops { get; set; }
}

/// <summary>Section <c>backend</c>.</summary>
public sealed class BackendOptions
{
    /// <summary>Mode; direct costs least and hides nothing, so auto leaves it only for what nothing else can carry: an ad tag.</summary>
    [Option("direct: each client gets a connection of its own to a data centre. middle: clients share a few links to Telegram's "
            + "middle proxies, which alone take ad tags. auto: middle for clients with an ad tag, direct for the others.",
        OneOf = ["auto", "direct", "middle"], TakesEffect = TakesEffect.NewSessions)]
    public string Mode { get; set; } = "auto";

    /// <summary>Media; the same way as chats, because only some accounts need another one.</summary>
    [Option("Where photos, videos and files come from. same: the way of the chats. "
            + "middle: through a middle proxy, also where chats go direct; for accounts whose photos do not load in direct mode.",
        OneOf = ["same", "middle"], TakesEffect = TakesEffect.NewSessions)]
    public string Media { get; set; } = "same";

    /// <summary>Family; IPv4 first, because more hosts have a working IPv4 than a working IPv6.</summary>
    [Option("Try the IPv6 addresses of a data centre, or of its middle proxies, "
            + "before the IPv4 addresses. The other family is tried next.", TakesEffect = TakesEffect.NewSessions)]
    public bool PreferIPv6 { get; set; }

    /// <summary>Direct mode.</summary>
    [Option("Direct mode.")]
    public DirectOptions Direct { get; set; } = new();

    /// <summary>Middle mode.</summary>
    [Option("Middle mode.")]
    public MiddleProxyOptions Middle { get; set; } = new();
}

/// <summary>Section <c>backend.direct</c>.</summary>
public sealed class DirectOptions
{
    /// <summary>Overrides; none, because Telegram's addresses have been the same for years.</summary>
    [Option("Addresses by data centre, in place of the built-in ones. "
            + "The key is the id that clients send (negative = its media servers), the value a list of \"address:port\".",
        Example = """{ "2": ["149.154.167.51:443", "[2001:67c:4e8:f002::a]:443"] }""", TakesEffect = TakesEffect.NewSessions)]
    public Dictionary<string, string[]> Endpoints { get; set; } = [];

    /// <summary>Default; 2 is where most accounts are (spec/04 section 2).</summary>
    [Option("The data centre of clients that name none, or one that is not known.", Minimum = -32768, Maximum = 32767)]
    public int DefaultDc { get; set; } = 2;

    /// <summary>On, because it halves the cipher work of downloads (spec/04 section 5).</summary>
    [Option("Give the data centre the client's own key, so that downloads are relayed without decrypting and encrypting them again.",
        TakesEffect = TakesEffect.NewSessions)]
    public bool PassThrough { get; set; } = true;
}

/// <summary>Section <c>health</c>.</summary>
public sealed class HealthOptions
{
    /// <summary>Three hundred: what a busy link carries in a second or two.</summary>
    [Option("Packets that may wait for one client.", Minimum = 1, Maximum = 1000000, TakesEffect = TakesEffect.Live)]
    public int ClientQueuePackets { get; set; } = 300;

    /// <summary>3 MiB: six of the largest pieces in which Telegram sends files.</summary>
    [Option("Bytes that may wait for one client.", Minimum = 65536, Maximum = 1073741824, TakesEffect = TakesEffect.Live)]
    public int ClientQueueBytes { get; set; } = 3145728;
}

/// <summary>Section <c>timeouts</c>.</summary>
public sealed class TimeoutOptions
{
    /// <summary>Ten: a hello is one packet or two, even on a bad phone line.</summary>
    [Option("Seconds from accepting a connection until it must have shown a secret. Bytes do not extend it.", Minimum = 1, Maximum = 300,
        TakesEffect = TakesEffect.NewSessions)]
    public int HandshakeSeconds { get; set; } = 10;

    /// <summary>Twenty minutes: clients ping within less, and phones sleep.</summary>
    [Option("Seconds without a byte in either direction after which a session ends.", Minimum = 1, Maximum = 86400,
        TakesEffect = TakesEffect.NewSessions)]
    public int IdleSeconds { get; set; } = 1200;

    /// <summary>Sixty: a phone that changes from one network to another takes nothing for up to half a minute.</summary>
    [Option("Seconds that output may wait for a client that takes no byte of it.", Minimum = 1, Maximum = 3600,
        TakesEffect = TakesEffect.NewSessions)]
    public int ClientWriteSeconds { get; set; } = 60;

    /// <summary>Eight: a container is killed after ten.</summary>
    [Option("Seconds from SIGTERM until transfers are cut that are still under way. Silent sessions end at once.",
        Minimum = 0, Maximum = 3600, TakesEffect = TakesEffect.Live)]
    public int DrainSeconds { get; set; } = 8;
}
