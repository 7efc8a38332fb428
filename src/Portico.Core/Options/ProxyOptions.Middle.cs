namespace Portico.Core.Options;

/// <summary>Section <c>backend.middle</c>.</summary>
public sealed class MiddleProxyOptions
{
    /// <summary>The secret that all proxies share with Telegram.</summary>
    [Option("Where Telegram gives the secret that proxies and middle proxies share.")]
    public string SecretUrl { get; set; } = "https://core.telegram.org/getProxySecret";

    /// <summary>IPv4 addresses.</summary>
    [Option("Where Telegram gives the IPv4 addresses of the middle proxies.")]
    public string ConfigUrl { get; set; } = "https://core.telegram.org/getProxyConfig";

    /// <summary>IPv6 addresses; nobody misses them while IPv4 works, so their failure is no news.</summary>
    [Option("Where Telegram gives the IPv6 addresses of the middle proxies. null = do without them.")]
    public string? ConfigV6Url { get; set; } = "https://core.telegram.org/getProxyConfigV6";

    /// <summary>One hour: some addresses change every day, and an hour of outdated ones costs only a second attempt.</summary>
    [Option("Seconds between two downloads of these three, give or take a tenth. Also the longest pause after a failure; the first is 5 s.",
        Minimum = 60, Maximum = 604800)]
    public int RefreshSeconds { get; set; } = 3600;

    /// <summary>Three seconds: nobody waits for the answer, and a longer one is no better.</summary>
    [Option("Milliseconds that one download or one question for the external address may take.", Minimum = 100, Maximum = 60000)]
    public int HttpTimeoutMs { get; set; } = 3000;

    /// <summary>External address.</summary>
    [Option("The address that Telegram sees this machine under: IPv4, IPv6, or one of each parted by a comma. "
            + "It is part of the link's keys, so behind NAT it must be right. Absent = ask ipLookupServices.",
        Example = "\"203.0.113.7\"")]
    public string? ExternalIp { get; set; }

    /// <summary>Four independent ones that answer over IPv4 and TLS: an answer forged on the way would cut us off from Telegram.</summary>
    [Option("Services that answer with the caller's address as plain text, asked in this order until one does. "
            + "Asked for links in middle mode, and in every mode for the links of a listener without publicHost on a machine with none but "
            + "private addresses. Not asked if externalIp has an IPv4 address. [] = ask nobody and take the address of this machine.")]
    public string[] IpLookupServices { get; set; } =
        ["https://v4.ident.me/", "https://ipv4.icanhazip.com/", "https://api.ipify.org/", "https://checkip.amazonaws.com/"];

    /// <summary>Two, so that the loss of one leaves another that is ready.</summary>
    [Option("Links to each data centre's middle proxies that are opened at start and kept, "
            + "over all loops. 0 = opened when a client asks for one.",
        Minimum = 0, Maximum = 1000, TakesEffect = TakesEffect.NewSessions)]
    public int InitialConnections { get; set; } = 2;

    /// <summary>Three hundred, as the other proxies have it: Telegram is used to it.</summary>
    [Option("Clients on one link after which more links are opened.", Minimum = 1, Maximum = 65536, TakesEffect = TakesEffect.NewSessions)]
    public int ClientsPerConnection { get; set; } = 300;

    /// <summary>On: the cipher of the link notices no change by itself, and the sum costs next to nothing.</summary>
    [Option("Check the checksum of what middle proxies send. A wrong one ends the link.", TakesEffect = TakesEffect.NewSessions)]
    public bool CheckCrc { get; set; } = true;

    /// <summary>Back-pressure.</summary>
    [Option("How much of what a link brought may wait for its clients before the link is not read any more.")]
    public BackPressureOptions Backpressure { get; set; } = new();
}

/// <summary>Section <c>backend.middle.backpressure</c>.</summary>
public sealed class BackPressureOptions
{
    /// <summary>Bytes.</summary>
    [Option("Bytes waiting for all clients of a link, and 64 more for each packet. "
            + "One user or one address may owe half. Absent = 30720 for each of clientsPerConnection.",
        Minimum = 1025, Example = "9216000", TakesEffect = TakesEffect.NewSessions)]
    public int? BytesTotal { get; set; }

    /// <summary>Packets.</summary>
    [Option("Packets waiting for all clients of a link. Absent = no such limit.", Minimum = 11, Example = "600",
        TakesEffect = TakesEffect.NewSessions)]
    public int? PacketsTotal { get; set; }

    /// <summary>Bytes on average.</summary>
    [Option("Bytes waiting, for each client that is on the link now. Absent = no such limit.", Minimum = 1024, Example = "65536",
        TakesEffect = TakesEffect.NewSessions)]
    public int? BytesPerClient { get; set; }

    /// <summary>Packets on average.</summary>
    [Option("Packets waiting, for each client that is on the link now. Absent = no such limit.", Minimum = 1, Example = "4",
        TakesEffect = TakesEffect.NewSessions)]
    public int? PacketsPerClient { get; set; }
}
