namespace Portico.Core.Options;

/// <summary>One element of <c>listeners</c>.</summary>
public sealed class ListenerOptions
{
    /// <summary>Name.</summary>
    [Option("Name of the listener in logs and metrics. Absent = main for the first, listener-2 for the second, and so on.",
        Example = "\"main\"", TakesEffect = TakesEffect.Live)]
    public string? Name { get; set; }

    /// <summary>Address; everything, since a proxy that only this machine reaches is of little use.</summary>
    [Option("IP address to listen on. \"::\" = every address, IPv6 and IPv4 (only IPv4 where IPv6 is off); "
            + "\"0.0.0.0\" = every IPv4 address. Another address on the same port needs a restart.", TakesEffect = TakesEffect.Live)]
    public string Address { get; set; } = "::";

    /// <summary>Port; needs no privilege and is often open.</summary>
    [Option("TCP port to listen on. 443 looks the least remarkable, but needs the right to listen below 1024. 0 = the system chooses.",
        Minimum = 0, Maximum = 65535, TakesEffect = TakesEffect.Live)]
    public int Port { get; set; } = 8443;

    /// <summary>Secret.</summary>
    [Option("The secret that clients must know: 32 hexadecimal digits. "
            + "Short for one user named default. `portico secret` prints a fresh one.",
        Example = $"\"{ExampleSecret}\"", Secret = true, Needed = true, TakesEffect = TakesEffect.Live)]
    public string? Secret { get; set; }

    /// <summary>The secret before.</summary>
    [Option("The secret before secret was changed: it works until previousUntil, so that links can be handed out in peace.",
        Example = $"\"{ExampleFormerSecret}\"", Secret = true, TakesEffect = TakesEffect.Live)]
    public string? PreviousSecret { get; set; }

    /// <summary>When it ends.</summary>
    [Option("When previousSecret stops working and its sessions end: a date with time and zone. Needed with previousSecret.",
        Example = "\"2027-01-31T00:00:00Z\"", TakesEffect = TakesEffect.Live)]
    public string? PreviousUntil { get; set; }

    /// <summary>Ad tag; none, because a channel to show is the operator's choice.</summary>
    [Option("Ad tag of the listener's users that have none of their own: 32 hexadecimal digits from the bot @MTProxybot. "
            + "Telegram shows its channel to their clients. Needs backend.mode auto or middle.",
        Example = $"\"{ExampleAdTag}\"", TakesEffect = TakesEffect.NewSessions)]
    public string? AdTag { get; set; }

    /// <summary>Users.</summary>
    [Option("Users with a secret and a link of their own, beside or in place of secret.",
        Example = $$"""[{ "name": "alice", "secret": "{{ExampleSecret}}" }]""", TakesEffect = TakesEffect.Live)]
    public UserOptions[] Users { get; set; } = [];

    /// <summary>
    /// Protocols; fake TLS alone, because the first packet of the others
    /// is random bytes, which some networks block for that.
    /// </summary>
    [Option("What the listener speaks: fake-tls (ee links), secure (dd links), classic (plain links: abridged and intermediate).",
        OneOf = ["fake-tls", "secure", "classic"], Example = """["fake-tls"]""", TakesEffect = TakesEffect.NewSessions)]
    public string[] Protocols { get; set; } = ["fake-tls"];

    /// <summary>Domain.</summary>
    [Option("Host name put into fake-TLS links: the client seems to visit it. Needed where protocols has fake-tls.",
        Example = "\"www.example.com\"", Needed = true, TakesEffect = TakesEffect.NewSessions)]
    public string? Domain { get; set; }

    /// <summary>Host in links.</summary>
    [Option("Name or address that links show. Absent = the first global address of this machine; if it has none, a start that prints "
            + "links asks backend.middle.ipLookupServices, in every mode, and prints them with the answer too.",
        Example = "\"proxy.example.org\"", TakesEffect = TakesEffect.Live)]
    public string? PublicHost { get; set; }

    /// <summary>Port in links.</summary>
    [Option("Port that links show, where a forwarder changes it. Absent = the port listened on.",
        Minimum = 1, Maximum = 65535, Example = "443", TakesEffect = TakesEffect.Live)]
    public int? PublicPort { get; set; }

    /// <summary>Sessions; what one address can have towards one data centre before its ports run out.</summary>
    [Option("Authenticated sessions at a time. One more is treated like a stranger.", Minimum = 1, Maximum = 10000000,
        TakesEffect = TakesEffect.Live)]
    public int MaxConnections { get; set; } = 64000;

    /// <summary>PROXY protocol.</summary>
    [Option("The PROXY protocol, where a balancer or a web server in front passes connections on.")]
    public ProxyProtocolOptions ProxyProtocol { get; set; } = new();

    /// <summary>WEB proxy; none, since it needs a host name of its own.</summary>
    [Option("Telegram's WEB proxy: a real web site on a host name of its own, with the proxy inside for those who have a link. "
            + "null = none.",
        Example = """{ "host": "www.example.org", "certificate": "fullchain.pem", "key": "privkey.pem", "site": "/srv/www" }""",
        TakesEffect = TakesEffect.NewSessions)]
    public WebOptions? Web { get; set; }

    /// <summary>The secret of the documentation: valid, and known to everybody.</summary>
    internal const string ExampleSecret = "0123456789abcdef0123456789abcdef";

    /// <summary>Likewise.</summary>
    internal const string ExampleFormerSecret = "00112233445566778899aabbccddeeff";

    /// <summary>Nobody's channel.</summary>
    internal const string ExampleAdTag = "fedcba9876543210fedcba9876543210";
}

/// <summary><c>listeners[].proxyProtocol</c>.</summary>
public sealed class ProxyProtocolOptions
{
    /// <summary>Networks; none, since whoever may send a header may say to be anybody.</summary>
    [Option("Networks of balancers: each of their connections must begin with a PROXY header, version 1 or 2, within 3 s, "
            + "and the client is who it names, in limits, in middle mode and towards the cover: whoever is in them can say to be anybody. "
            + "From all others none is looked for.",
        Example = """["10.0.0.0/8", "fd00::/8"]""", TakesEffect = TakesEffect.NewSessions)]
    public string[] Trusted { get; set; } = [];
}
